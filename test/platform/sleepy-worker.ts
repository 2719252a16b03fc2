/** A worker for tests: echoes, waits, fails and dies on request. */
import { setTimeout } from 'node:timers/promises';
import { PlatformError } from '../../platform/errors.ts';
import { serveWorker } from '../../platform/worker-service.ts';

interface Request {
  readonly sleepMs?: number;
  readonly fail?: 'bug' | 'known' | 'die';
  readonly echo?: string;
}

await serveWorker<Request, string>((data) => {
  if ((data as { refuse?: boolean }).refuse) {
    return Promise.reject(
      new PlatformError('INVALID_BUNDLE', 'This worker was told not to start.'),
    );
  }
  return Promise.resolve({
    async handle({ sleepMs, fail, echo = '' }) {
      if (sleepMs !== undefined) await setTimeout(sleepMs);
      if (fail === 'die') process.exit(3);
      if (fail === 'known') throw new PlatformError('BAD_USER_INPUT', 'known');
      if (fail === 'bug') throw new Error('a bug');
      return { response: echo };
    },
    close: () => Promise.resolve(),
  });
});
