import { describe, expect, test } from '@jest/globals';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { z } from 'zod';
import { plain } from '../support/images.ts';
import { SAMPLE_PHOTOS, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { sharelock, type CommandOptions, type CommandResult } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { fillHostileFolder } from '../support/hostile-folder.ts';

const environment = {
  DATABASE_URL: await useEmptyDatabase(),
  DATA_DIR: await temporaryFolder(),
  MODEL_BUNDLE: TINY_BUNDLE,
  MEDIA_ROOTS: '',
};

function run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return sharelock(args, { ...options, env: { ...environment, ...options.env } });
}

const ANSWER = z.object({
  job: z.string(),
  state: z.string(),
  plan: z.record(z.string(), z.number().nullable()),
  result: z.record(z.string(), z.number()).nullable(),
  failures: z.array(z.object({ path: z.string(), reasonCode: z.string() })),
});

async function indexed(
  folder: string,
  collection: string,
  ...more: readonly string[]
): Promise<z.infer<typeof ANSWER>> {
  const { code, stdout, stderr } = await run([
    ...['index', folder, '--collection', collection, '--json'],
    ...more,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return ANSWER.parse(JSON.parse(stdout));
}

async function samples(): Promise<string> {
  const folder = join(await temporaryFolder(), 'photos');
  await cp(SAMPLE_PHOTOS, folder, { recursive: true });
  return folder;
}

describe('sharelock index', () => {
  test('a folder is indexed, and again: nothing is read', async () => {
    const folder = await samples();
    const count = (await readdir(folder)).length;

    const first = await indexed(folder, 'samples');
    const again = await indexed(folder, 'samples');
    const other = await indexed(folder, 'the same');

    expect(first.result).toMatchObject({ decoded: count, embedded: count });
    expect(again.result).toMatchObject({ decoded: 0, embedded: 0, unchanged: count });
    expect(other.result).toMatchObject({ decoded: 0, embedded: 0, reused: count });
  });

  test('a folder full of traps: exit 0, and a line for each', async () => {
    const folder = await temporaryFolder();
    const { bad, good } = await fillHostileFolder(folder);

    const { code, stdout } = await run(['index', folder, '--collection', 'traps', '--source', 's']);
    const verified = await run(['verify', '--collection', 'traps', '--json']);

    expect(code).toBe(0);
    for (const [path, reason] of Object.entries(bad)) {
      expect(stdout).toContain(`${JSON.stringify(`s/${path}`)}: ${reason}`);
    }
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('"isSound": true');
    expect(verified.stdout).toContain(`"looked": ${good.length}`);
  });

  test('a dry run says what there is to do and does nothing', async () => {
    const folder = await samples();
    const count = (await readdir(folder)).length;

    const dry = await indexed(folder, 'dry', '--dry-run');
    const wet = await indexed(folder, 'dry');

    expect(dry).toMatchObject({ state: 'PLANNED', plan: { files: count, toRead: count } });
    expect(wet.plan).toMatchObject({ toRead: count });
  });

  test('MEDIA_ROOTS holds for the command line too, when it is set', async () => {
    const folder = await samples();
    const elsewhere = await temporaryFolder();
    const args = ['index', folder, '--collection', 'roots'];

    const refused = await run(args, { env: { MEDIA_ROOTS: elsewhere } });
    const allowed = await run(args, { env: { MEDIA_ROOTS: `${elsewhere}:${join(folder, '..')}` } });

    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/MEDIA_ROOTS.*BAD_USER_INPUT/);
    expect(allowed.code).toBe(0);
  });

  test.each([
    [['index', '/nowhere', '--collection', 'x'], 1, /can't be opened/],
    [['index', '/etc/passwd', '--collection', 'x'], 1, /is a file/],
    [['index', '/etc'], 2, /--collection/],
    [['verify', '--collection', 'nobody'], 1, /no collection "nobody"/],
  ] as const)('%j: one line says what would have worked', async (args, exit, message) => {
    const { code, stderr } = await run(args);

    expect(code).toBe(exit);
    expect(stderr).toMatch(message);
  });
});

/** Plain pictures of so many different colours. */
async function colours(count: number): Promise<string> {
  const folder = await temporaryFolder();
  for (let i = 0; i < count; i++) {
    const colour = { r: i % 256, g: (i * 37) % 256, b: (i * 101) % 256 };
    await plain(colour, 300, 200)
      .png()
      .toFile(join(folder, `${i}.png`));
  }
  return folder;
}

describe('a process that is killed', () => {
  test('three times, anywhere: the next one goes on at once, and nothing is lost or double', async () => {
    const folder = await colours(300);
    const args = ['index', folder, '--collection', 'killed', '--source', 's', '--json'];
    const kill = (afterMs: number): CommandOptions => ({
      onStart: (child: ChildProcess) => {
        setTimeout(() => child.kill('SIGKILL'), afterMs);
      },
    });

    for (const afterMs of [1200, 1600, 2000]) await run(args, kill(afterMs));
    const begun = Date.now();
    const last = await run(args);

    expect(last.code).toBe(0);
    expect(Date.now() - begun).toBeLessThan(50_000); // a lease is 60 s
    const { plan, failures } = ANSWER.parse(JSON.parse(last.stdout));
    expect(failures).toEqual([]);
    expect(plan['files']).toBe(300);
    const { stdout, code } = await run(['verify', '--collection', 'killed', '--json']);
    expect(code).toBe(0);
    expect(stdout).toContain('"looked": 300');
  });

  test('Ctrl-C ends it in one line with 130, and the same command goes on', async () => {
    const folder = await colours(400);
    const args = ['index', folder, '--collection', 'stopped', '--source', 's'];
    const stopped = await run(args, {
      onStart: (child: ChildProcess) => {
        setTimeout(() => child.kill('SIGINT'), 1500);
      },
    });
    const resumed = await run([...args, '--json']);

    expect([130, 0]).toContain(stopped.code); // 0: it was quicker
    expect(stopped.stderr).not.toMatch(/ at /);
    expect(ANSWER.parse(JSON.parse(resumed.stdout)).plan['files']).toBe(400);
    expect((await run(['verify', '--collection', 'stopped'])).code).toBe(0);
  });
});
