import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readlink, symlink, truncate, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MediaFileError, mediaFileOf } from '../../../api/media/media-file.ts';
import {
  createMediaRouter,
  type MediaImage,
  type MediaRouterOptions,
} from '../../../api/media/media-router.ts';
import { contentDisposition } from '../../../api/media/serve-file.ts';
import { UrlSigner } from '../../../api/media/signer.ts';
import { PlatformError } from '../../../platform/errors.ts';
import { Random } from '../../../platform/random.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { serving } from '../../support/serving.ts';

const LENGTH = 700_001;
const CONTENT = Buffer.from(new Random('photo').bytes(LENGTH));
const SHA256 = new Random('sha').bytes(32);
const TAG = `"${Buffer.from(SHA256).toString('hex')}"`;
const THUMBNAIL = Buffer.from('a small picture');

const logger = { debug: () => undefined, error: () => undefined };
let folder: string;
let image: MediaImage;
let clock: number;
let signer: UrlSigner;

beforeEach(async () => {
  folder = await temporaryFolder();
  const path = join(folder, 'photo.jpg');
  await writeFile(path, CONTENT);
  image = { path, sha256: SHA256, format: 'JPEG', bytes: LENGTH, fileName: 'photo.jpg' };
  clock = 1_200_000_000_000;
  signer = new UrlSigner({ secret: new Random('secret').bytes(32), now: () => clock });
});

function start(overrides: Partial<MediaRouterOptions<MediaImage>> = {}): Promise<string> {
  return serving(
    createMediaRouter({
      signer,
      findImage: (id) => Promise.resolve(id === '1' ? image : null),
      openThumbnail: () => Promise.resolve(mediaFileOf(THUMBNAIL)),
      logger,
      ...overrides,
    }),
  );
}

async function ask(init: RequestInit = {}, path = '/images/1', size?: string): Promise<Response> {
  return fetch((await start()) + signer.sign({ path, size }), init);
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe('an original', () => {
  test('comes whole, as what it is, and can do nothing in a browser', async () => {
    const response = await ask();

    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=3600, immutable',
      'content-disposition': `inline; filename="photo.jpg"; filename*=UTF-8''photo.jpg`,
      'content-length': String(LENGTH),
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'image/jpeg',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      etag: TAG,
    });
    expect((await bytesOf(response)).equals(CONTENT)).toBe(true);
  });

  test('has the same headers without its content for HEAD', async () => {
    const response = await ask({ method: 'HEAD' });

    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(LENGTH));
    expect(await bytesOf(response)).toHaveLength(0);
  });

  test('is not sent again to who has it', async () => {
    for (const tag of [TAG, `W/${TAG}`, `"other", ${TAG}`, '*']) {
      const response = await ask({
        headers: { 'If-None-Match': tag, 'Cache-Control': 'max-age=0' },
      });

      expect(response.status).toBe(304);
      expect(response.headers.get('etag')).toBe(TAG);
    }
    expect((await ask({ headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });
});

describe('a range', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=100-199', 100, 199],
    ['bytes=262143-524288', 262_143, 524_288],
    ['bytes=700000-', 700_000, 700_000],
    ['bytes=-5', LENGTH - 5, LENGTH - 1],
    ['bytes=0-99999999', 0, LENGTH - 1],
  ])('%s is that part', async (range, from, to) => {
    const response = await ask({ headers: { Range: range } });

    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to}/${LENGTH}`);
    expect((await bytesOf(response)).equals(CONTENT.subarray(from, to + 1))).toBe(true);
  });

  test('drawn at random is that part', async () => {
    const random = new Random('ranges', 1);
    const url = (await start()) + signer.sign({ path: '/images/1' });
    for (let round = 0; round < 30; round++) {
      const from = random.below(LENGTH);
      const to = from + random.below(LENGTH - from);
      const response = await fetch(url, { headers: { Range: `bytes=${from}-${to}` } });

      expect((await bytesOf(response)).equals(CONTENT.subarray(from, to + 1))).toBe(true);
    }
  });

  test('beyond the end is refused with the length', async () => {
    const response = await ask({ headers: { Range: `bytes=${LENGTH}-` } });

    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe(`bytes */${LENGTH}`);
  });

  test.each(['bytes=0-1,5-6', 'lines=1-2', 'bytes=b-a', 'bytes'])(
    '%s is answered with the whole',
    async (range) => {
      const response = await ask({ headers: { Range: range } });

      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toHaveLength(LENGTH);
    },
  );

  test('goes on only with what the caller has the beginning of', async () => {
    const headers = (condition: string) => ({
      headers: { Range: 'bytes=5-9', 'If-Range': condition },
    });

    expect((await ask(headers(TAG))).status).toBe(206);
    for (const other of ['"other"', `W/${TAG}`, new Date().toUTCString()]) {
      expect((await ask(headers(other))).status).toBe(200);
    }
  });

  test('means nothing to HEAD', async () => {
    const response = await ask({ method: 'HEAD', headers: { Range: 'bytes=0-0' } });

    expect(response.status).toBe(200);
  });
});

describe('a thumbnail', () => {
  test('is a WebP under a tag of its size', async () => {
    const response = await ask({}, '/thumbnails/1', 'LARGE');

    expect(response.headers.get('content-type')).toBe('image/webp');
    expect(response.headers.get('etag')).toBe(`${TAG.slice(0, -1)}-LARGE"`);
    expect(response.headers.get('content-disposition')).toContain('filename="photo.webp"');
    expect((await bytesOf(response)).equals(THUMBNAIL)).toBe(true);
  });

  test('without a size is the middle one', async () => {
    const sizes: string[] = [];
    const openThumbnail = (_image: MediaImage, size: string) => {
      sizes.push(size);
      return Promise.resolve(mediaFileOf(THUMBNAIL));
    };
    await fetch((await start({ openThumbnail })) + signer.sign({ path: '/thumbnails/1' }));

    expect(sizes).toEqual(['MEDIUM']);
  });

  test('of a size that there is not is refused', async () => {
    expect((await ask({}, '/thumbnails/1', 'HUGE')).status).toBe(400);
  });
});

describe('a refusal', () => {
  async function refusalOf(response: Response | Promise<Response>) {
    const refused = await response;
    const { status, headers } = refused;
    const body = (await refused.json()) as { code: string; message: string };
    expect(headers.get('content-type')).toContain('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.stringify(body)).not.toContain(folder);
    return `${status} ${body.code}`;
  }

  test('meets a link without a signature, with a wrong one, or past its time', async () => {
    const url = await start();
    const link = url + signer.sign({ path: '/images/1' });

    expect(await refusalOf(fetch(`${url}/images/1`))).toBe('403 FORBIDDEN');
    expect(await refusalOf(fetch(link.replace('/1?', '/2?')))).toBe('403 FORBIDDEN');
    expect(await refusalOf(fetch(`${link}&sig=x`))).toBe('403 FORBIDDEN');
    clock += 4_000_000;
    expect(await refusalOf(fetch(link))).toBe('403 FORBIDDEN');
  });

  test('meets an image that is not there', async () => {
    expect(await refusalOf(ask({}, '/images/2'))).toBe('404 NOT_FOUND');
    expect(await refusalOf(ask({}, '/images/..%2F..%2Fetc%2Fpasswd'))).toBe('404 NOT_FOUND');
  });

  test('meets a file that is gone, and one of another length', async () => {
    await truncate(image.path, 10);
    expect(await refusalOf(ask())).toBe('404 FILE_CHANGED');
    image = { ...image, path: join(folder, 'nowhere') };
    expect(await refusalOf(ask())).toBe('404 FILE_GONE');
  });

  test('meets what is no file: a link, a folder, a FIFO, a device', async () => {
    await symlink(image.path, join(folder, 'link'));
    await mkdir(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'fifo')]);

    for (const path of ['link', 'folder', 'fifo'].map((name) => join(folder, name))) {
      image = { ...image, path };
      expect(await refusalOf(ask())).toBe('404 FILE_GONE');
    }
    image = { ...image, path: '/dev/zero' };
    expect(await refusalOf(ask())).toBe('404 FILE_GONE');
  });

  test.each([
    [new PlatformError('ENCODER_UNAVAILABLE', 'Wait.'), '503 ENCODER_UNAVAILABLE'],
    [new PlatformError('IMAGE_UNREADABLE', 'Broken.'), '422 IMAGE_UNREADABLE'],
    [new MediaFileError('CHANGED'), '404 FILE_CHANGED'],
    [new Error('secret'), '500 INTERNAL_SERVER_ERROR'],
    [new PlatformError('INVALID_CONFIG', 'secret'), '500 INTERNAL_SERVER_ERROR'],
  ])('says what it may of %s', async (error, expected) => {
    const url = await start({ openThumbnail: () => Promise.reject(error) });

    expect(await refusalOf(fetch(url + signer.sign({ path: '/thumbnails/1' })))).toBe(expected);
  });
});

test('a file that shrinks while it is sent breaks off', async () => {
  const openOriginal = () =>
    Promise.resolve({
      bytes: 100,
      // eslint-disable-next-line @typescript-eslint/require-await -- the interface's
      async *read() {
        yield Buffer.alloc(10);
        throw new MediaFileError('CHANGED');
      },
      close: () => Promise.resolve(),
    });
  const url = (await start({ openOriginal })) + signer.sign({ path: '/images/1' });

  await expect(fetch(url).then(bytesOf)).rejects.toThrow();
});

test('no file stays open, whatever the caller does', async () => {
  const url = (await start()) + signer.sign({ path: '/images/1' });
  const large = join(folder, 'large');
  await writeFile(large, '');
  await truncate(large, 200_000_000);

  await bytesOf(await fetch(url));
  await fetch(url, { method: 'HEAD' });
  await fetch(url, { headers: { 'If-None-Match': TAG } });
  await fetch(url, { headers: { Range: 'bytes=99999999-' } });
  image = { ...image, bytes: 5 };
  await fetch(url);
  image = { ...image, path: large, bytes: 200_000_000 };
  for (let round = 0; round < 10; round++) await goAwayAfterFirstBytes(url);

  await eventually(async () => {
    expect(await openFilesIn(folder)).toEqual([]);
  });
});

test('the check for open files sees one', async () => {
  const file = await open(image.path);

  expect(await openFilesIn(folder)).toEqual([image.path]);
  await file.close();
});

describe('the name of a file to be saved', () => {
  test('may be any text', () => {
    expect(contentDisposition('Käse "am" Strand.jpg')).toBe(
      `inline; filename="K_se _am_ Strand.jpg"; filename*=UTF-8''K%C3%A4se%20%22am%22%20Strand.jpg`,
    );
    expect(contentDisposition('a\r\nSet-Cookie: b')).not.toMatch(/[\r\n]/);
    expect(contentDisposition('../../etc/passwd')).toContain('filename=".._.._etc_passwd"');
    expect(contentDisposition('\u202egnp.exe')).not.toContain('%E2%80%AE');
    expect(contentDisposition('half \ud83d')).toContain('%EF%BF%BD');
    expect(contentDisposition("it's (1)*.jpg")).toContain("UTF-8''it%27s%20%281%29%2A.jpg");
  });

  test('never breaks the header, whatever it is made of', () => {
    const random = new Random('names', 1);
    for (let round = 0; round < 300; round++) {
      const name = String.fromCharCode(
        ...Array.from({ length: random.below(40) }, () =>
          random.below(random.below(2) ? 256 : 65_536),
        ),
      );

      expect(contentDisposition(name)).toMatch(
        /^inline; filename="[ !#$&-[\]-~]*"; filename\*=UTF-8''[\w.~!%-]*$/,
      );
    }
  });
});

async function goAwayAfterFirstBytes(url: string): Promise<void> {
  const request = get(url);
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  await once(response, 'data');
  request.destroy();
}

/** Paths of this process's open files in a folder (Linux). */
async function openFilesIn(path: string): Promise<readonly string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(path));
}

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await check();
      return;
    } catch {
      await wait(50);
    }
  }
  await check();
}
