import { fork } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { rootPath, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { useEmptyDatabase } from '../support/database.ts';

const environment = {
  DATABASE_URL: await useEmptyDatabase(),
  DATA_DIR: await temporaryFolder(),
  MODEL_BUNDLE: TINY_BUNDLE,
};

/** Starts a worker, ends it when it waits for jobs, and gives its exit code. */
function workerEndedBy(
  end: (child: ReturnType<typeof fork>) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = fork(rootPath('indexer/main.ts'), {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...environment, ...settings },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
    child.once('message', () => {
      end(child);
    });
    const read = new Promise((done) => child.stderr?.once('close', done));
    // Not 'close': it never comes after `disconnect`.
    child.once('exit', (code) => {
      void read.then(() => {
        resolve({ code, stderr });
      });
    });
  });
}

test('a worker that is told to stop ends cleanly', async () => {
  expect(await workerEndedBy((child) => child.kill('SIGTERM'))).toMatchObject({ code: 0 });
});

test('a worker whose parent is gone ends by itself', async () => {
  const ended = workerEndedBy((child) => {
    child.disconnect();
  });

  expect(await ended).toMatchObject({ code: 0 });
});

test('settings that cannot work end it with their names', async () => {
  const { code, stderr } = await workerEndedBy(() => undefined, { INDEXER_SESSIONS: 'many' });

  expect(code).toBe(1);
  expect(stderr).toMatch(/INDEXER_SESSIONS.*INVALID_CONFIG/);
});
