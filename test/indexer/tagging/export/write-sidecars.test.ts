import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { setTags } from '../../../../indexer/tagging/set-tags.ts';
import {
  writeSidecars,
  type SidecarRequest,
} from '../../../../indexer/tagging/export/write-sidecars.ts';
import { listImages } from '../../../../store/images.ts';
import { findTagsOf } from '../../../../store/image-tags.ts';
import { putVocabulary } from '../../../../store/put-vocabulary.ts';
import { temporaryFolder } from '../../../support/bundles.ts';
import { useDatabase } from '../../../support/database.ts';
import { GREEN, plain } from '../../../support/images.ts';
import { ingested, newSource, useJobServices } from '../../../support/indexing.ts';
import { xmpPacket } from '../../../support/photos.ts';
import { freshName } from '../../../support/rows.ts';

const database = await useDatabase();
const services = await useJobServices(database);
const { pool } = database;

/** A source with photos of these names, ingested. */
async function photos(...names: readonly string[]) {
  const folder = await temporaryFolder();
  const jpeg = await plain(GREEN).jpeg().toBuffer();
  for (const name of names) await writeFile(join(folder, name), jpeg);
  const source = await newSource(services, folder);
  await ingested(services, source);
  return { folder, source };
}

type Photos = Awaited<ReturnType<typeof photos>>;

async function tag(
  { source }: Photos,
  change: { add?: readonly string[]; remove?: readonly string[]; vocabulary?: string },
): Promise<void> {
  const { collectionId } = source;
  const images = await listImages(pool, { collectionId, after: null, limit: 100 });
  await setTags(pool, {
    ...{ vocabulary: 'keywords', add: [], remove: [], ...change },
    ...{ imageIds: images.map(({ id }) => id), decidedBy: 'test', now: new Date() },
  });
}

async function written({ source }: Photos, overrides: Partial<SidecarRequest> = {}) {
  const reasons: string[] = [];
  const counts = await writeSidecars(pool, {
    ...{ collectionId: source.collectionId, vocabulary: null, minProbability: 0 },
    ...{ onlyAccepted: false, signal: new AbortController().signal, naming: 'full', dryRun: false },
    ...{ sources: [source], mediaRoots: null },
    onSkipped: (path, reason) => reasons.push(`${path}: ${reason}`),
    ...overrides,
  });
  return { ...counts, reasons };
}

/** A vocabulary: dog below animal. */
async function animals(): Promise<string> {
  const name = freshName('animals');
  const label = (of: string, parents: readonly string[]) => ({
    ...{
      name: of,
      prompts: [],
      negativePrompts: [],
      exampleImageIds: [],
      threshold: null,
      parents,
    },
  });
  await putVocabulary(pool, {
    ...{ name, description: null, labels: [label('animal', []), label('dog', ['animal'])] },
    ...{ ifVersion: null, createdBy: 'test', now: new Date() },
  });
  return name;
}

async function importedBy(one: Photos): Promise<readonly string[]> {
  const copy = await newSource(services, one.folder);
  await ingested(services, copy);
  const [image] = await listImages(pool, {
    ...{ collectionId: copy.collectionId, after: null, limit: 1 },
  });
  const tags = image ? ((await findTagsOf(pool, [image.id])).get(image.id) ?? []) : [];
  return tags.filter(({ source }) => source === 'IMPORTED').map(({ label }) => label);
}

describe('sidecars', () => {
  test('bring to another collection what was tagged, hierarchy and all', async () => {
    const one = await photos('a.jpg');
    await tag(one, { add: ['dog'], vocabulary: await animals() });
    await tag(one, { add: ['seaside'] });

    expect(await written(one)).toMatchObject({ written: 1, unchanged: 0, skipped: 0 });

    const xmp = await readFile(join(one.folder, 'a.jpg.xmp'), 'utf8');
    expect(xmp).toContain('<rdf:li>animal|dog</rdf:li>');
    expect(await importedBy(one)).toEqual(['animal', 'dog', 'seaside']);
    expect(await written(one)).toMatchObject({ written: 0, unchanged: 1 });
  });

  test('are merged into what is there, keep its mode, and lose what people rejected', async () => {
    const one = await photos('a.jpg');
    const path = join(one.folder, 'a.xmp');
    await writeFile(path, xmpPacket(['theirs', 'wrong']));
    await chmod(path, 0o640);
    await tag(one, { add: ['ours'], remove: ['wrong'] });

    expect(await written(one)).toMatchObject({ written: 1 });

    expect(await readdir(one.folder)).toEqual(['a.jpg', 'a.xmp']);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect([...(await importedBy(one))].sort()).toEqual(['ours', 'theirs']);
  });

  test('keep a keyword that a person set, though a label of that name was rejected elsewhere', async () => {
    const one = await photos('a.jpg');
    const vocabulary = await animals();
    await writeFile(join(one.folder, 'a.xmp'), xmpPacket(['dog', 'animal']));
    await tag(one, { add: ['dog'] });
    await tag(one, { vocabulary, remove: ['dog', 'animal'] });

    await written(one, { vocabulary });

    expect(await importedBy(one)).toEqual(['dog']);
  });

  test('are only counted in a dry run, and not made for photos without tags', async () => {
    const one = await photos('a.jpg');
    expect(await written(one)).toMatchObject({ written: 0, unchanged: 1 });
    await tag(one, { add: ['ours'] });

    expect(await written(one, { dryRun: true })).toMatchObject({ written: 1 });

    expect(await readdir(one.folder)).toEqual(['a.jpg']);
  });

  test('go by the naming that was asked for', async () => {
    const one = await photos('a.jpg');
    await tag(one, { add: ['ours'] });

    await written(one, { naming: 'stem' });

    expect(await readdir(one.folder)).toEqual(['a.jpg', 'a.xmp']);
  });

  test('that say they are in another encoding, or would be too long to be read again, are left alone', async () => {
    const one = await photos('a.jpg', 'b.jpg');
    const latin = `<?xml version="1.0" encoding="ISO-8859-1"?>${xmpPacket(['theirs'])}`;
    const long = `${xmpPacket(['theirs'])}<!--${' '.repeat(262_144 - xmpPacket(['theirs']).length - 20)}-->`;
    await writeFile(join(one.folder, 'a.jpg.xmp'), latin);
    await writeFile(join(one.folder, 'b.jpg.xmp'), long);
    await tag(one, { add: ['Käse'] });

    const { reasons, ...counts } = await written(one);

    expect(counts).toEqual({ written: 0, unchanged: 0, skipped: 2 });
    expect(reasons.sort()).toEqual([
      'src/a.jpg: The sidecar is no UTF-8, as it says.',
      'src/b.jpg: The sidecar would be longer than 262144 bytes.',
    ]);
    expect(await readFile(join(one.folder, 'a.jpg.xmp'), 'utf8')).toBe(latin);
    expect(await readFile(join(one.folder, 'b.jpg.xmp'), 'utf8')).toBe(long);
  });

  test('that are links, no XMP, or outside of the media roots are left alone, with the reason', async () => {
    const one = await photos('a.jpg', 'b.jpg', 'c.jpg');
    const outside = join(await temporaryFolder(), 'other.xmp');
    await writeFile(outside, xmpPacket(['secret']));
    await symlink(outside, join(one.folder, 'a.jpg.xmp'));
    await writeFile(join(one.folder, 'b.jpg.xmp'), 'no XMP');
    await tag(one, { add: ['ours'] });

    const { reasons, ...counts } = await written(one);

    expect(counts).toEqual({ written: 1, unchanged: 0, skipped: 2 });
    expect(reasons.sort()).toEqual([
      'src/a.jpg: Symbolic links are not followed.',
      'src/b.jpg: The sidecar is no XMP.',
    ]);
    expect(await readFile(outside, 'utf8')).toBe(xmpPacket(['secret']));
    const roots = await written(one, { mediaRoots: [await temporaryFolder()] });
    expect(roots).toMatchObject({ written: 0, skipped: 3 });
  });
});
