import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

export interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

export const RED: Colour = { r: 255, g: 0, b: 0 };
export const GREEN: Colour = { r: 0, g: 255, b: 0 };
export const BLUE: Colour = { r: 0, g: 0, b: 255 };

/** A picture of one colour. */
export function plain(background: Colour, width = 40, height = 30): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}

/** Left half one colour, right half another. */
export async function halves(left: Colour, right: Colour, side = 64): Promise<Sharp> {
  const half = await plain(right, side / 2, side)
    .png()
    .toBuffer();
  return plain(left, side, side).composite([{ input: half, left: side / 2, top: 0 }]);
}

/** A dataset of plain pictures: captions.jsonl and images. Every caption names its picture's colour. */
export async function writeColourDataset(
  folder: string,
  perSplit: Readonly<Record<string, number>>,
): Promise<void> {
  const rows: string[] = [];
  for (const [split, count] of Object.entries(perSplit)) {
    for (let i = 0; i < count; i++) {
      const colour = { r: (i * 67) % 256, g: (i * 131) % 256, b: (i * 29) % 256 };
      const image = `${split}-${i}.png`;
      await plain(colour, 24, 24).png().toFile(join(folder, image));
      const captions = [
        `red ${colour.r} green ${colour.g} blue ${colour.b}`,
        `number ${i} of ${split} .`,
      ];
      rows.push(JSON.stringify({ image, split, captions }));
    }
  }
  await writeFile(join(folder, 'captions.jsonl'), `${rows.join('\n')}\n`);
}
