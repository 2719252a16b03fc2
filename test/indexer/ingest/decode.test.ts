import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { Bundle } from '../../../models/bundle.ts';
import { preprocessImage } from '../../../models/image-preprocessing.ts';
import type { Decoder } from '../../../indexer/ingest/decode.ts';
import { temporaryFolder, TINY_BUNDLE } from '../../support/bundles.ts';
import { BLUE, halves, plain, RED } from '../../support/images.ts';
import { pngOfSize } from '../../support/hostile-folder.ts';
import { rejection } from '../../support/errors.ts';
import { useDecoder } from '../../support/indexing.ts';

const folder = await temporaryFolder();
const { input } = (await Bundle.open(TINY_BUNDLE)).manifest.vision;
const decoder = useDecoder();

/** Noise, so that half of the file is half of the picture. */
function noise(width = 300, height = 200): Sharp {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width, height, channels: 3, background: 'black', noise } });
}

async function written(name: string, bytes: Uint8Array | string): Promise<{ path: string }> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path };
}

const FORMATS: readonly (readonly [string, (image: Sharp) => Sharp, string])[] = [
  ['a JPEG', (image) => image.jpeg(), 'JPEG'],
  ['a progressive JPEG', (image) => image.jpeg({ progressive: true }), 'JPEG'],
  ['a CMYK JPEG', (image) => image.toColourspace('cmyk').jpeg(), 'JPEG'],
  ['a greyscale JPEG', (image) => image.greyscale().jpeg(), 'JPEG'],
  ['a PNG', (image) => image.png(), 'PNG'],
  ['a PNG with alpha', (image) => image.ensureAlpha(0.5).png(), 'PNG'],
  ['a palette PNG', (image) => image.png({ palette: true }), 'PNG'],
  ['a 16-bit PNG', (image) => image.toColourspace('rgb16').png(), 'PNG'],
  ['a 16-bit greyscale PNG', (image) => image.toColourspace('grey16').png(), 'PNG'],
  ['a WebP', (image) => image.webp(), 'WEBP'],
  ['a lossless WebP', (image) => image.webp({ lossless: true }), 'WEBP'],
  ['a GIF', (image) => image.gif(), 'GIF'],
  ['an AVIF', (image) => image.avif({ effort: 0 }), 'AVIF'],
  ['a TIFF', (image) => image.tiff(), 'TIFF'],
  ['a big TIFF', (image) => image.tiff({ compression: 'deflate', bigtiff: true }), 'TIFF'],
];

describe('good pictures', () => {
  test.each(FORMATS)('%s is decoded as the encoder would', async (name, encode, format) => {
    const bytes = await encode(plain(RED, 60, 40)).toBuffer();
    const source = await written(`${name}.dat`, bytes);

    const image = await decoder.decode(source, { input });

    expect(image).toMatchObject({ format, width: 60, height: 40, bytes: bytes.length });
    const expected = await preprocessImage(bytes, input);
    expect(Buffer.compare(image.pixels ?? Buffer.alloc(0), expected)).toBe(0);
  });

  test('the first frame of an animation counts', async () => {
    const frames = await Promise.all([RED, BLUE].map((one) => plain(one, 20, 10).png().toBuffer()));
    const bytes = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();

    const image = await decoder.decode({ bytes }, { input });

    expect(image).toMatchObject({ format: 'GIF', width: 20, height: 10 });
    expect([...(image.pixels ?? []).slice(0, 3)]).toEqual([255, 0, 0]);
  });

  test('a turned photo has its upright size, and its thumbnail stands upright', async () => {
    const lying = await (await halves(RED, BLUE, 64)).png().toBuffer();
    const bytes = await sharp(lying)
      .resize(64, 32, { fit: 'fill' })
      .withMetadata({ orientation: 6 }) // shown turned to the right: left becomes top
      .jpeg()
      .toBuffer();
    const file = join(folder, 'thumbs', 'turned.webp');

    const image = await decoder.decode({ bytes }, { thumbnail: { file, side: 32 } });

    expect(image).toMatchObject({ width: 32, height: 64 });
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 16, height: 32 });
    expect(data[0]).toBeGreaterThan(200); // red on top
    expect(data.at(-1)).toBeGreaterThan(200); // blue below
  });

  test('small pictures are not enlarged', async () => {
    const bytes = await plain(RED, 20, 10).png().toBuffer();
    const file = join(folder, 'thumbs', 'small.webp');

    await decoder.decode({ bytes }, { thumbnail: { file, side: 320 } });

    expect(await sharp(file).metadata()).toMatchObject({ format: 'webp', width: 20, height: 10 });
  });
});

describe('what a file tells of itself', () => {
  test('camera, place and time', async () => {
    const exif = {
      IFD0: { Make: 'Maker ', Model: 'M\u0001odel' },
      IFD2: {
        DateTimeOriginal: '2020:02:03 04:05:06',
        OffsetTimeOriginal: '+02:00',
        LensModel: '50 mm',
      },
      IFD3: {
        ...{ GPSLatitude: '52/1 30/1 0/1', GPSLatitudeRef: 'N', GPSLongitude: '13/1 24/1 36/1' },
        ...{ GPSLongitudeRef: 'W', GPSAltitude: '345/10' },
      },
    };
    const bytes = await plain(RED).withExif(exif).jpeg().toBuffer();

    const { takenAt, metadata } = await decoder.decode({ bytes });

    expect(takenAt?.toISOString()).toBe('2020-02-03T02:05:06.000Z');
    expect(metadata).toEqual({
      camera: { make: 'Maker', model: 'M odel', lens: '50 mm' },
      gps: { latitude: 52.5, longitude: -13.41, altitude: 34.5 },
    });
  });

  test.each([
    ['an impossible date', { IFD2: { DateTimeOriginal: '0000:00:00 00:00:00' } }],
    ['a date of a camera without a clock', { IFD2: { DateTimeOriginal: '1804:01:01 00:00:00' } }],
    [
      'a place off the earth',
      { IFD3: { GPSLatitude: '200/1 0/1 0/1', GPSLongitude: '1/0 0/1 0/1' } },
    ],
  ])('%s is not believed', async (_, exif) => {
    const bytes = await plain(RED).withExif(exif).jpeg().toBuffer();

    expect(await decoder.decode({ bytes })).toMatchObject({ takenAt: null, metadata: {} });
  });

  test('damaged EXIF costs the facts, not the photo', async () => {
    const exif = { IFD0: { Make: 'Maker' }, IFD2: { LensModel: 'x'.repeat(500) } };
    const bytes = await plain(RED).withExif(exif).jpeg().toBuffer();
    const start = bytes.indexOf('Exif\0\0', 0, 'latin1') + 14;
    for (let at = start; at < start + 120; at += 3) bytes[at] = 0xff;

    const image = await decoder.decode({ bytes }, { input });

    expect(image.pixels).not.toBeNull();
  });
});

const SVG = '<?xml version="1.0"?><!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>';

describe('bad files', () => {
  const cases: readonly (readonly [string, string | Buffer, string])[] = [
    ['no bytes', '', 'EMPTY_FILE'],
    ['text', 'hello', 'NOT_AN_IMAGE'],
    ['zeros', Buffer.alloc(5000), 'NOT_AN_IMAGE'],
    ['SVG', SVG, 'UNSUPPORTED_FORMAT'],
    ['PDF', '%PDF-1.7 …', 'UNSUPPORTED_FORMAT'],
    ['BMP', Buffer.from('BM\x36\0\0\0\0\0\0\0\x36\0\0\0', 'latin1'), 'UNSUPPORTED_FORMAT'],
    ['MP4', Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), 'UNSUPPORTED_FORMAT'],
    ['900 megapixels', pngOfSize(30_000, 30_000), 'TOO_MANY_PIXELS'],
    ['a JPEG header alone', Buffer.from('ffd8ffe000104a46494600', 'hex'), 'TRUNCATED'],
  ];

  test.each(cases)('%s: %#', async (name, bytes, reason) => {
    const source = await written(`${name}.jpg`, bytes);

    expect(await rejection(decoder.decode(source, { input }))).toMatchObject({
      ...{ reason, code: 'IMAGE_UNREADABLE' },
    });
  });

  test.each(FORMATS.filter(([name]) => !/palette|16-bit|CMYK|grey/.test(name)))(
    'half of %s is TRUNCATED',
    async (name, encode) => {
      const whole = await encode(noise()).toBuffer();
      const source = await written(`half ${name}`, whole.subarray(0, whole.length / 2));

      expect(await rejection(decoder.decode(source, { input }))).toMatchObject({
        reason: 'TRUNCATED',
      });
    },
  );

  test('a damaged PNG is CORRUPT', async () => {
    const bytes = await noise().png().toBuffer();
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0x55, middle, middle + 500);

    expect(await rejection(decoder.decode({ bytes }, { input }))).toMatchObject({
      reason: 'CORRUPT',
    });
  });

  test('too long a file is not read', async () => {
    const small = useDecoder({ maxBytes: 100 });
    const source = await written('long.jpg', await plain(RED).jpeg().toBuffer());

    expect(await rejection(small.decode(source))).toMatchObject({ reason: 'TOO_LARGE' });
    expect(await rejection(small.hash(source.path))).toMatchObject({ reason: 'TOO_LARGE' });
  });

  test('links, pipes and folders are not opened, and what is gone has VANISHED', async () => {
    const [link, pipe] = [join(folder, 'link.jpg'), join(folder, 'pipe.jpg')];
    await symlink('/etc/passwd', link);
    execFileSync('mkfifo', [pipe]);
    const reasonOf = async (path: string): Promise<unknown> => rejection(decoder.hash(path));

    expect(await reasonOf(link)).toMatchObject({ reason: 'SYMLINK' });
    expect(await reasonOf(pipe)).toMatchObject({ reason: 'NOT_A_FILE' });
    expect(await reasonOf('/dev/zero')).toMatchObject({ reason: 'NOT_A_FILE' });
    expect(await reasonOf(folder)).toMatchObject({ reason: 'NOT_A_FILE' });
    expect(await reasonOf(join(folder, 'nothing.jpg'))).toMatchObject({ reason: 'VANISHED' });
  });

  const isRoot = process.getuid?.() === 0; // who may read everything
  (isRoot ? test.skip : test)('a file without permission is UNREADABLE', async () => {
    const { path } = await written('locked.jpg', 'secret');
    await chmod(path, 0);

    expect(await rejection(decoder.hash(path))).toMatchObject({ reason: 'UNREADABLE' });
  });

  test('other bytes than expected were written meanwhile', async () => {
    const source = await written('changed.jpg', await plain(RED).jpeg().toBuffer());

    const decoding = decoder.decode(source, { expectedSha256: '0'.repeat(64) });

    expect(await rejection(decoding)).toMatchObject({ reason: 'CHANGED_WHILE_READ' });
  });
});

function killBusy(pool: Decoder): void {
  for (const { id, isBusy } of pool.processes) if (isBusy) process.kill(id, 'SIGKILL');
}

describe('processes that die', () => {
  const large = noise(6000, 6000).png().toBuffer(); // takes a second to decode

  test('a file whose process was killed is tried again; its neighbours notice nothing', async () => {
    const pool = useDecoder({ processes: 2 });
    const source = await written('large.png', await large);
    const small = await written('neighbour.png', await plain(RED).png().toBuffer());
    const decoding = pool.decode(source, { input });
    const neighbours = Promise.all(Array.from({ length: 20 }, () => pool.decode(small, { input })));
    await neighbours;

    killBusy(pool);

    expect((await decoding).width).toBe(6000);
    expect((await neighbours).length).toBe(20);
  });

  test('a file that kills every process is given up', async () => {
    const pool = useDecoder({ processes: 1 });
    const source = await written('deadly.png', await large);
    let isOver = false;
    const decoding = rejection(pool.decode(source, { input })).finally(() => (isOver = true));
    const killer = setInterval(() => {
      killBusy(pool);
      if (isOver) clearInterval(killer);
    }, 50);

    const error = await decoding;
    clearInterval(killer);

    expect(error).toMatchObject({ reason: 'DECODER_DIED' });
    const next = await written('next.png', await plain(RED).png().toBuffer());
    expect((await pool.decode(next)).width).toBe(40);
  });

  test('a file that takes too long is a TIMEOUT, and the next one has a new process', async () => {
    const pool = useDecoder({ processes: 1, timeoutMs: 200 });
    const small = await written('quick.png', await plain(RED).png().toBuffer());
    await pool.hash(small.path);
    const source = await written('slow.png', await large);

    expect(await rejection(pool.decode(source, { input }))).toMatchObject({ reason: 'TIMEOUT' });

    expect((await pool.hash(small.path)).bytes).toBe((await readFile(small.path)).length);
  });

  test('processes are replaced after so many files', async () => {
    const pool = useDecoder({ processes: 1, filesPerProcess: 3 });
    const { path } = await written('again.png', await plain(RED).png().toBuffer());
    const used = new Set<number>();

    for (let i = 0; i < 7; i++) {
      await pool.hash(path);
      for (const { id } of pool.processes) used.add(id);
    }

    expect(used.size).toBeGreaterThanOrEqual(2);
  });

  test('what waits ends when its signal fires', async () => {
    const pool = useDecoder({ processes: 1 });
    const stop = new AbortController();
    const { path } = await written('wait.png', await plain(RED).png().toBuffer());
    const waiting = Array.from({ length: 5 }, () => rejection(pool.hash(path, stop.signal)));

    stop.abort();

    for (const error of await Promise.all(waiting))
      expect(error).toMatchObject({ code: 'ABORTED' });
  });
});
