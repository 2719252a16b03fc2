import { ClientError } from './graphql/client.ts';

/** Throws a ClientError as soon as `signal` aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new ClientError('ABORTED', 'Stopped.'));
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(new ClientError('ABORTED', 'Stopped.'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
