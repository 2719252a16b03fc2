import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadOrCreateSecret } from '../../../api/media/secret-file.ts';
import { UrlSigner } from '../../../api/media/signer.ts';
import { Random } from '../../../platform/random.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { rejection, withCode } from '../../support/errors.ts';
import { refusal } from '../../support/refusal.ts';

const SECRET = new Random('signer').bytes(32);
const TARGET = { path: '/thumbnails/SW1hZ2U6MQ', size: 'MEDIUM', version: '0af3' };

function signerAt(clock: { ms: number }, secret = SECRET): UrlSigner {
  return new UrlSigner({ secret, ttlSeconds: 3_600, now: () => clock.ms });
}

function requestOf(link: string) {
  const { pathname, searchParams } = new URL(link, 'http://localhost');
  return { path: pathname, query: Object.fromEntries(searchParams) };
}

describe('a signed link', () => {
  test('is good for its time and up to five minutes more', () => {
    const clock = { ms: 1_000_000_000_123 };
    const signer = signerAt(clock);
    const request = requestOf(signer.sign(TARGET));

    clock.ms += 3_599_000;
    expect(signer.verify(request).state).toBe('VALID');
    clock.ms += 301_000;
    expect(signer.verify(request)).toEqual({ state: 'EXPIRED' });
  });

  test('is the same for five minutes, and never shorter than promised', () => {
    const clock = { ms: 1_200_000_000_000 };
    const signer = signerAt(clock);
    const links = new Set<string>();
    for (let second = 1; second <= 300; second++) {
      clock.ms = 1_200_000_000_000 + second * 1_000;
      const link = signer.sign(TARGET);
      links.add(link);
      expect(signer.verify(requestOf(link))).toMatchObject({ state: 'VALID' });
    }

    expect(links.size).toBe(1);
  });

  test('says how long it is still good', () => {
    const clock = { ms: 1_200_000_000_000 };
    const signer = signerAt(clock);

    expect(signer.verify(requestOf(signer.sign(TARGET)))).toEqual({
      state: 'VALID',
      secondsLeft: 3_600,
    });
  });

  test('holds for its path, size, version and end only', () => {
    const signer = signerAt({ ms: 1_200_000_000_000 });
    const { path, query } = requestOf(signer.sign(TARGET));

    for (const changed of [
      { path: '/images/SW1hZ2U6MQ', query },
      { path: `${path}2`, query },
      { path, query: { ...query, size: 'LARGE' } },
      { path, query: { ...query, exp: String(Number(query['exp']) + 300) } },
      { path, query: { ...query, exp: `${query['exp'] ?? ''}.0` } },
      { path, query: { ...query, v: '0af4' } },
      { path, query: { ...query, v: ['0af3'] } },
      { path, query: { exp: query['exp'], sig: query['sig'] } },
      { path, query: { ...query, sig: '' } },
      { path, query: { ...query, sig: `${query['sig'] ?? ''}=` } },
      { path, query: { ...query, sig: [query['sig']] } },
      { path, query: { ...query, size: ['MEDIUM'] } },
      { path, query: {} },
    ]) {
      expect(signer.verify(changed)).toEqual({ state: 'INVALID' });
    }
    expect(signer.verify({ path, query }).state).toBe('VALID');
  });

  test('is another one for another content', () => {
    const signer = signerAt({ ms: 0 });

    expect(signer.sign({ ...TARGET, version: '0af4' })).not.toBe(signer.sign(TARGET));
  });

  test('of an original is none of a thumbnail of size nothing', () => {
    const signer = signerAt({ ms: 0 });
    const { path, query } = requestOf(signer.sign({ path: '/images/1' }));

    expect(signer.verify({ path, query: { ...query, size: '' } })).toEqual({ state: 'INVALID' });
  });

  test('with any one letter changed is not good', () => {
    const random = new Random('signature', 1);
    const signer = signerAt({ ms: 0 });
    const { path, query } = requestOf(signer.sign(TARGET));
    const { sig = '' } = query;
    for (let round = 0; round < 200; round++) {
      const at = random.below(sig.length);
      const letter = String.fromCharCode(33 + random.below(94));
      if (letter === sig[at]) continue;
      const forged = sig.slice(0, at) + letter + sig.slice(at + 1);

      expect(signer.verify({ path, query: { ...query, sig: forged } }).state).toBe('INVALID');
    }
  });

  test('of another secret is not good', () => {
    const clock = { ms: 0 };
    const link = signerAt(clock, new Random('other').bytes(32)).sign(TARGET);

    expect(signerAt(clock).verify(requestOf(link)).state).toBe('INVALID');
  });
});

test('a short secret is refused', () => {
  expect(refusal(() => new UrlSigner({ secret: new Uint8Array(31) }))).toMatchObject(
    withCode('INVALID_CONFIG'),
  );
});

describe('the secret of a data folder', () => {
  test('is made once, for its owner only, in a folder that may still be missing', async () => {
    const folder = join(await temporaryFolder(), 'data', 'deep');

    const secret = await loadOrCreateSecret(folder);

    expect(secret).toHaveLength(32);
    expect(await loadOrCreateSecret(folder)).toEqual(secret);
    const [name = '', ...others] = await readdir(folder);
    expect(others).toEqual([]);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  test('is the same for all who start at once', async () => {
    const folder = await temporaryFolder();

    const secrets = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateSecret(folder)));

    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test('is closed to others again where it came open from a copy', async () => {
    const folder = await temporaryFolder();
    const secret = await loadOrCreateSecret(folder);
    const path = join(folder, 'media-secret');
    await chmod(path, 0o644);

    expect(await loadOrCreateSecret(folder)).toEqual(secret);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is refused when it is damaged, a link or a folder, and stays as it is', async () => {
    const [short, linked, nested] = await Promise.all([1, 2, 3].map(() => temporaryFolder()));
    await writeFile(join(short ?? '', 'media-secret'), 'short');
    await symlink('/etc/hostname', join(linked ?? '', 'media-secret'));
    await mkdir(join(nested ?? '', 'media-secret'));

    for (const folder of [short, linked, nested]) {
      expect(await rejection(loadOrCreateSecret(folder ?? ''))).toMatchObject(
        withCode('INVALID_CONFIG'),
      );
    }
    expect(await readFile(join(short ?? '', 'media-secret'), 'utf8')).toBe('short');
  });
});
