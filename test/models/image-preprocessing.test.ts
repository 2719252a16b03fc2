import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { preprocessImage } from '../../models/image-preprocessing.ts';
import type { ImageInput } from '../../models/manifest.ts';
import { temporaryFolder } from '../support/bundles.ts';
import { withCode } from '../support/errors.ts';
import { BLUE, GREEN, halves, plain, RED } from '../support/images.ts';

const INPUT: ImageInput = { width: 8, height: 8, fit: 'stretch', kernel: 'cubic' };

/** The pixel's [red, green, blue]. */
function pixelAt(pixels: Uint8Array, x: number, y: number): number[] {
  return [...pixels.subarray((y * INPUT.width + x) * 3, (y * INPUT.width + x) * 3 + 3)];
}

describe('every allowed format gives the same plain red:', () => {
  test.each([
    ['JPEG', () => plain(RED).jpeg()],
    ['PNG', () => plain(RED).png()],
    ['PNG with 16 bits', () => plain(RED).toColourspace('rgb16').png()],
    ['PNG with a palette', () => plain(RED).png({ palette: true })],
    ['WebP', () => plain(RED).webp({ lossless: true })],
    ['GIF', () => plain(RED).gif()],
    ['AVIF', () => plain(RED).avif({ quality: 95 })],
    ['TIFF', () => plain(RED).tiff()],
    ['CMYK JPEG', () => plain(RED).toColourspace('cmyk').jpeg()],
  ])('%s', async (_format, encode) => {
    const pixels = await preprocessImage(await encode().toBuffer(), INPUT);

    expect(pixels).toHaveLength(8 * 8 * 3);
    const [red = 0, green = 255, blue = 255] = pixelAt(pixels, 4, 4);
    expect(red).toBeGreaterThan(200);
    expect(green).toBeLessThan(60);
    expect(blue).toBeLessThan(60);
  });
});

test('greyscale becomes three equal channels', async () => {
  const grey = await plain({ r: 100, g: 100, b: 100 }).toColourspace('b-w').png().toBuffer();

  const [red = -1, green, blue] = pixelAt(await preprocessImage(grey, INPUT), 3, 3);

  expect(Math.abs(red - 100)).toBeLessThan(3);
  expect([green, blue]).toEqual([red, red]);
});

test('transparency lies on white', async () => {
  const clear = {
    create: { width: 9, height: 9, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  } as const;

  const pixels = await preprocessImage(await sharp(clear).png().toBuffer(), INPUT);

  expect(pixelAt(pixels, 4, 4)).toEqual([255, 255, 255]);
});

test('a photo on its side is turned upright', async () => {
  const sideways = await (
    await halves(RED, BLUE)
  )
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();

  const pixels = await preprocessImage(sideways, INPUT);

  expect(pixelAt(pixels, 4, 0)).toEqual([255, 0, 0]); // what was left is on top
  expect(pixelAt(pixels, 4, 7)).toEqual([0, 0, 255]);
});

test('of an animation the first frame counts', async () => {
  const frames = [await plain(GREEN).png().toBuffer(), await plain(RED).png().toBuffer()];
  const animation = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();

  expect(pixelAt(await preprocessImage(animation, INPUT), 4, 4)).toEqual([0, 255, 0]);
});

describe('fit', () => {
  test('stretch keeps both edges, crop takes the middle', async () => {
    const picture = await (await halves(RED, BLUE, 64)).png().toBuffer();
    const wide = await sharp(picture).resize(128, 32, { fit: 'fill' }).png().toBuffer();

    const stretched = await preprocessImage(wide, INPUT);
    const cropped = await preprocessImage(wide, { ...INPUT, fit: 'crop', cropFrom: 10 });

    expect(pixelAt(stretched, 0, 4)).toEqual([255, 0, 0]);
    expect(pixelAt(stretched, 7, 4)).toEqual([0, 0, 255]);
    expect(pixelAt(cropped, 0, 4)).toEqual([255, 0, 0]);
    expect(pixelAt(cropped, 7, 4)).toEqual([0, 0, 255]);
    expect(cropped).toHaveLength(stretched.length);
  });
});

describe('a view', () => {
  test('shows the named part', async () => {
    const picture = await (await halves(RED, BLUE)).png().toBuffer();

    const right = await preprocessImage(picture, INPUT, { region: [0.5, 0, 0.5, 1] });

    expect(pixelAt(right, 0, 4)).toEqual([0, 0, 255]);
  });

  test('can be mirrored', async () => {
    const picture = await (await halves(RED, BLUE)).png().toBuffer();

    const mirrored = await preprocessImage(picture, INPUT, { isFlipped: true });

    expect(pixelAt(mirrored, 0, 4)).toEqual([0, 0, 255]);
  });
});

describe('refused as unreadable:', () => {
  const refused = withCode('IMAGE_UNREADABLE');

  test('text that is called .jpg', async () => {
    const path = join(await temporaryFolder(), 'photo.jpg');
    await writeFile(path, 'this is text');

    await expect(preprocessImage(path, INPUT)).rejects.toMatchObject(refused);
  });

  test('a JPEG that was cut short', async () => {
    const whole = await plain(RED, 400, 400).jpeg().toBuffer();

    await expect(preprocessImage(whole.subarray(0, whole.length / 2), INPUT)).rejects.toMatchObject(
      refused,
    );
  });

  test('an SVG, which is a program more than a picture', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );

    await expect(preprocessImage(svg, INPUT)).rejects.toMatchObject(refused);
  });

  test('a picture of more than 100 megapixels, before it is decoded', async () => {
    const png = await plain(RED, 1, 1).png().toBuffer();
    const header = Buffer.from(png);
    header.writeUInt32BE(30_000, 16);
    header.writeUInt32BE(30_000, 20);

    await expect(preprocessImage(header, INPUT)).rejects.toMatchObject(refused);
  });

  test('nothing, and a file that is not there', async () => {
    const path = join(await temporaryFolder(), 'empty.jpg');
    await writeFile(path, '');

    await expect(preprocessImage(path, INPUT)).rejects.toMatchObject(refused);
    await expect(preprocessImage(`${path}.gone`, INPUT)).rejects.toMatchObject(refused);
    await expect(preprocessImage(await readFile(path), INPUT)).rejects.toMatchObject(refused);
  });
});
