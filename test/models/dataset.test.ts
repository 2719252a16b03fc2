import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readCaptionedPhotos, readClassifiedPhotos } from '../../models/dataset.ts';
import { temporaryFolder } from '../support/bundles.ts';
import { rejection, withCode } from '../support/errors.ts';

async function datasetOf(...lines: string[]): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'captions.jsonl'), lines.join('\n'));
  return folder;
}

const A = '{"image":"a.jpg","split":"train","captions":["one","two"],"extra":1}';
const B = '{"image":"b.jpg","split":"dev","captions":["three"]}';

describe('captioned photos', () => {
  test('of one split, or of all', async () => {
    const folder = await datasetOf(A, '', B, '');

    expect(await readCaptionedPhotos(folder, 'dev')).toEqual([
      { path: join(folder, 'b.jpg'), captions: ['three'] },
    ]);
    expect(await readCaptionedPhotos(folder, 'all')).toHaveLength(2);
  });

  test.each([
    [
      'a split that is not there',
      [A, B],
      'test',
      /has no photo of split "test"; it has: dev, train/,
    ],
    ['a line that is not JSON', [A, '{"image":'], 'all', /captions\.jsonl line 2/],
    ['a line without captions', ['{"image":"a.jpg","captions":[]}'], 'all', /line 1: captions/],
    [
      'a path out of the folder',
      ['{"image":"../../etc/passwd","captions":["x"]}'],
      'all',
      /inside the dataset/,
    ],
  ])('%s is refused with its place', async (_name, lines, split, message) => {
    const error = await rejection(readCaptionedPhotos(await datasetOf(...lines), split));

    expect(error).toMatchObject(withCode('INVALID_DATASET'));
    expect(error.message).toMatch(message);
  });

  test('a folder without captions.jsonl is refused', async () => {
    const error = await rejection(readCaptionedPhotos(await temporaryFolder(), 'all'));

    expect(error).toMatchObject(withCode('INVALID_DATASET'));
    expect(error.message).toMatch(/has no captions\.jsonl/);
  });
});

describe('classified photos', () => {
  test('classes are the folders, named as people would', async () => {
    const folder = await temporaryFolder();
    for (const name of ['sea_horse', 'crab-eater', '.hidden']) {
      await mkdir(join(folder, name));
      for (const file of ['2.jpg', '1.jpg', '3.jpg']) await writeFile(join(folder, name, file), '');
    }

    const { classes, photos } = await readClassifiedPhotos(folder, 2);

    expect(classes).toEqual(['crab eater', 'sea horse']);
    expect(photos.map(({ path, label }) => [path.slice(folder.length + 1), label])).toEqual([
      [join('crab-eater', '1.jpg'), 0],
      [join('crab-eater', '2.jpg'), 0],
      [join('sea_horse', '1.jpg'), 1],
      [join('sea_horse', '2.jpg'), 1],
    ]);
  });

  test('an empty or missing folder is refused', async () => {
    const folder = await temporaryFolder();

    await expect(readClassifiedPhotos(folder)).rejects.toMatchObject(withCode('INVALID_DATASET'));
    await expect(readClassifiedPhotos(join(folder, 'gone'))).rejects.toMatchObject(
      withCode('INVALID_DATASET'),
    );
  });
});
