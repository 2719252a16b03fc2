import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/bundles.ts';
import { expectOneLine, sharelock, type CommandResult } from '../support/command-line.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { SAMPLE_PHOTOS } from '../support/bundles.ts';

const env = {
  DATABASE_URL: await useEmptyDatabase(),
  DATA_DIR: await temporaryFolder(),
  ...{ MODEL_BUNDLE: '', MEDIA_ROOTS: '' },
};

const run = (...args: readonly string[]): Promise<CommandResult> => sharelock(args, { env });

async function json(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

describe('key', () => {
  interface Key {
    readonly id: string;
    readonly prefix: string;
    readonly secret: string;
  }

  test('create tells the secret once; list and revoke do without', async () => {
    const made = (await json('key', 'create', '--role', 'reader', '--name', 'mine')) as Key;
    const other = (await json('key', 'create', '--role', 'ADMIN')) as Key;
    const revoked = await run('key', 'revoke', made.prefix);
    const listed = await run('key', 'list', '--json');

    expect(made).toMatchObject({ role: 'READER', prefix: made.secret.slice(0, 16) });
    expect(revoked).toMatchObject({ code: 0, stdout: '' });
    expect(listed.stdout).not.toContain(made.secret.slice(17));
    expect(listed.stdout).not.toMatch(/sha256/i);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { id: other.id, role: 'ADMIN', revokedAt: null, collections: null },
      { id: made.id, role: 'READER', name: 'mine', revokedAt: expect.stringMatching(/Z$/) },
    ]);
  });

  test('create for people prints the secret alone to stdout', async () => {
    const { code, stdout } = await run('key', 'create', '--role', 'READER');

    expect(code).toBe(0);
    expect(stdout).toMatch(/^slk_[0-9a-f]{12}_[\w-]{43}\n$/);
    expect((await run('key', 'list')).stdout).toMatch(/^prefix/);
  });

  test('wrong use says what would have worked', async () => {
    expectOneLine(await run('key', 'create', '--role', 'KING'), 2, /READER, CURATOR or ADMIN/);
    expectOneLine(await run('key', 'create'), 2, /--role/);
    expectOneLine(
      await run('key', 'create', '--role', 'READER', '--collection', 'nowhere'),
      1,
      /nowhere.*\[NOT_FOUND\]/,
    );
    expectOneLine(await run('key', 'revoke', 'slk_000000000000'), 1, /\[NOT_FOUND\]/);
    expectOneLine(
      await run('key', 'create', '--role', 'READER', '--name', 'x'.repeat(201)),
      1,
      /\[BAD_USER_INPUT\]/,
    );
  });
});

describe('search and collections', () => {
  test('tell of what was indexed', async () => {
    expect(await json('collections')).toEqual([]);
    expect((await run('collections')).stderr).toMatch(/sharelock index/);

    await run('index', SAMPLE_PHOTOS, '--collection', 'photos');
    const collections = await json('collections');
    const found = await json('search', 'a cup of coffee', '--collection', 'photos', '--first', '2');
    const exact = await json(
      ...['search', 'a cup of coffee', '--collection', 'photos', '--first', '2', '--exact'],
    );

    expect(collections).toMatchObject([
      { name: 'photos', sources: [{ name: 'images', folder: SAMPLE_PHOTOS }] },
    ]);
    expect(found).toMatchObject({
      ...{ path: 'EXACT', tookMs: { total: expect.any(Number) } },
      images: [{ rank: 1, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }, { rank: 2 }],
    });
    expect((found as { images: unknown }).images).toEqual((exact as { images: unknown }).images);
    expect((await run('search', 'coffee', '--collection', 'photos')).stdout).toMatch(/^image/);
    expect((await run('collections')).stdout).toMatch(/photos/);
  });

  test('wrong use says what would have worked', async () => {
    const search = (...args: readonly string[]): Promise<CommandResult> =>
      run('search', ...args, '--collection', 'photos');

    expectOneLine(await run('search', 'a'), 2, /--collection/);
    expectOneLine(await run('search', 'a', '--collection', 'nowhere'), 1, /\[NOT_FOUND\]/);
    expectOneLine(await search(' '), 1, /\[EMPTY_TEXT\]/);
    expectOneLine(await search('x'.repeat(2001)), 1, /\[BAD_USER_INPUT\]/);
    expectOneLine(await search('a', '--first', '0'), 2, /whole number/);
    expectOneLine(await search('a', '--first', '10001'), 1, /\[BAD_USER_INPUT\]/);
  });
});

describe('sources and source set', () => {
  const schedule = { rescanEverySeconds: null, watch: false, settleSeconds: 5, prune: false };

  test('tell how a folder is kept up with, and change it', async () => {
    await run('index', SAMPLE_PHOTOS, '--collection', 'kept', '--source', 'src', '--dry-run');
    const before = await json('sources', '--collection', 'kept');

    const all = ['--rescan-every', '15m', '--watch', '--settle', '2m', '--prune'];
    const set = await json('source', 'set', 'kept/src', ...all);
    const shown = await run('sources', '--collection', 'kept');
    const unset = await run('source', 'set', 'kept/src', '--rescan-every', 'off', '--no-watch');
    const after = await json('sources', '--collection', 'kept');

    const source = { collection: 'kept', name: 'src', folder: SAMPLE_PHOTOS, lastScannedAt: null };
    expect(before).toEqual([{ ...source, ...schedule }]);
    const changed = { watch: true, settleSeconds: 120, prune: true };
    expect(set).toEqual({ ...source, ...changed, rescanEverySeconds: 900 });
    expect(shown.stdout).toMatch(/kept\/src +every 15m, watched, settles 2m, prunes +never/);
    expect(unset).toMatchObject({ code: 0, stdout: '', stderr: 'kept/src: when asked.\n' });
    expect(after).toEqual([{ ...source, ...changed, watch: false, rescanEverySeconds: null }]);
  });

  test('wrong use says what would have worked', async () => {
    const set = (...args: readonly string[]): Promise<CommandResult> =>
      run('source', 'set', ...args);

    expectOneLine(await set('kept'), 1, /--watch.*\[BAD_USER_INPUT\]/);
    expectOneLine(await set('kept', '--watch'), 1, /COLLECTION\/SOURCE.*\[BAD_USER_INPUT\]/);
    expectOneLine(await set('kept/other', '--watch'), 1, /kept has src.*\[NOT_FOUND\]/);
    expectOneLine(await set('nowhere/src', '--watch'), 1, /\[NOT_FOUND\]/);
    expectOneLine(await set('kept/src', '--rescan-every', 'often'), 2, /15m/);
    expectOneLine(await set('kept/src', '--rescan-every', '59'), 1, /60.*\[BAD_USER_INPUT\]/);
    expectOneLine(await set('kept/src', '--settle', '2h'), 1, /3600.*\[BAD_USER_INPUT\]/);
    expectOneLine(await run('sources', '--collection', 'nowhere'), 1, /\[NOT_FOUND\]/);
  });
});

test('sign-in prints a link, and where no server runs the one it would have', async () => {
  const { code, stdout } = await run('sign-in');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:4000\/sign-in#token=[\w-]{43}\n$/);
});

test('a database that is not there is told in one line, without its password', async () => {
  const result = await sharelock(['collections'], {
    env: { ...env, DATABASE_URL: 'postgresql://me:geheim@127.0.0.1:1/x' },
  });

  expectOneLine(result, 1, /DATABASE_URL.*\[INVALID_CONFIG\]/);
  expect(result.stderr).not.toContain('geheim');
});
