import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readIptcKeywords } from '../../../indexer/ingest/keywords/iptc.ts';
import { readXmpKeywords } from '../../../indexer/ingest/keywords/xmp.ts';
import { listImages } from '../../../store/images.ts';
import { findTagsOf } from '../../../store/image-tags.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { useDatabase } from '../../support/database.ts';
import { BLUE, plain } from '../../support/images.ts';
import { ingested, newSource, useJobServices } from '../../support/indexing.ts';
import { iptcBlock, jpegWithIptc, jpegWithXmp, xmpPacket } from '../../support/photos.ts';

const database = await useDatabase();
const services = await useJobServices(database);
const { pool } = database;

type Files = Readonly<Record<string, string | Buffer>>;

/** A collection of one source with these files, ingested. */
async function photosWith(files: Files) {
  const folder = await temporaryFolder();
  await put(folder, files);
  const source = await newSource(services, folder);
  await ingested(services, source);
  return { folder, source };
}

async function put(folder: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** Imported tags by path. */
async function keywordsIn({ source }: Awaited<ReturnType<typeof photosWith>>) {
  const { collectionId } = source;
  const images = await listImages(pool, { collectionId, after: null, limit: 100 });
  const tags = await findTagsOf(
    pool,
    images.map(({ id }) => id),
  );
  const named = images.map(({ id, path }) => {
    const found = tags.get(id) ?? [];
    expect(found.every(({ source: from }) => from === 'IMPORTED')).toBe(true);
    return [path, found.map(({ label }) => label).sort()] as const;
  });
  return Object.fromEntries(named);
}

describe('a photo comes with the keywords', () => {
  test('of XMP within it, hierarchies with what stands above', async () => {
    const photos = await photosWith({
      'a.jpg': await jpegWithXmp(xmpPacket(['holiday', 'a & b'], ['animal|dog|poodle'])),
    });

    expect(await keywordsIn(photos)).toEqual({
      'src/a.jpg': ['a & b', 'animal', 'dog', 'holiday', 'poodle'],
    });
  });

  test('of IPTC within it, in UTF-8 where it says so, else in Latin-1', async () => {
    const photos = await photosWith({
      'latin.jpg': await jpegWithIptc({
        keywords: [Buffer.from('Zürich', 'latin1')],
        isUtf8: false,
      }),
      'utf8.jpg': await jpegWithIptc({ keywords: [Buffer.from('東京')], isUtf8: true }),
    });

    expect(await keywordsIn(photos)).toEqual({
      'src/latin.jpg': ['Zürich'],
      'src/utf8.jpg': ['東京'],
    });
  });

  test('of sidecars beside it, of either name', async () => {
    const jpeg = await plain(BLUE).jpeg().toBuffer();
    const photos = await photosWith({
      'deep/a.jpg': jpeg,
      'deep/a.xmp': xmpPacket(['adobe']),
      'deep/b.jpg': jpeg,
      'deep/b.jpg.xmp': xmpPacket(['darktable']),
      'deep/c.jpg': jpeg,
    });

    expect(await keywordsIn(photos)).toEqual({
      'src/deep/a.jpg': ['adobe'],
      'src/deep/b.jpg': ['darktable'],
      'src/deep/c.jpg': [],
    });
  });
});

describe('a later scan', () => {
  test('sees a sidecar that came, changed or went, and leaves the rest unread', async () => {
    const photos = await photosWith({
      'a.jpg': await jpegWithXmp(xmpPacket(['own'])),
      'b.jpg': await plain(BLUE).jpeg().toBuffer(),
    });
    const { folder, source } = photos;
    const scanned = async (): Promise<unknown> => {
      const { plan } = await ingested(services, source);
      const { 'src/a.jpg': keywords } = await keywordsIn(photos);
      return { toRead: (plan as { toRead: number }).toRead, keywords };
    };

    await put(folder, { 'a.jpg.xmp': xmpPacket(['beside']) });
    expect(await scanned()).toEqual({ toRead: 1, keywords: ['beside', 'own'] });
    expect(await scanned()).toEqual({ toRead: 0, keywords: ['beside', 'own'] });
    await put(folder, { 'a.jpg.xmp': xmpPacket(['other']) });
    expect(await scanned()).toEqual({ toRead: 1, keywords: ['other', 'own'] });
    await rm(join(folder, 'a.jpg.xmp'));
    expect(await scanned()).toEqual({ toRead: 1, keywords: ['own'] });
  });

  test('keeps the keywords of a photo that moved or was copied, though nothing is decoded', async () => {
    const photos = await photosWith({ 'a.jpg': await jpegWithXmp(xmpPacket(['own', 'two'])) });
    await rename(join(photos.folder, 'a.jpg'), join(photos.folder, 'moved.jpg'));
    await put(photos.folder, { 'copy.jpg': await jpegWithXmp(xmpPacket(['own', 'two'])) });

    const { result } = await ingested(services, photos.source);

    expect(result).toMatchObject({ decoded: 0, moved: 1 });
    expect(await keywordsIn(photos)).toEqual({
      'src/copy.jpg': ['own', 'two'],
      'src/moved.jpg': ['own', 'two'],
    });
  });

  test('replaces the keywords of a photo whose bytes changed', async () => {
    const photos = await photosWith({ 'a.jpg': await jpegWithXmp(xmpPacket(['old', 'both'])) });
    await put(photos.folder, { 'a.jpg': await jpegWithXmp(xmpPacket(['new', 'both'])) });

    await ingested(services, photos.source);

    expect(await keywordsIn(photos)).toEqual({ 'src/a.jpg': ['both', 'new'] });
  });
});

describe('what strangers wrote', () => {
  test('a broken, foreign or linked sidecar leaves its photo as it is', async () => {
    const jpeg = await plain(BLUE).jpeg().toBuffer();
    const outside = await temporaryFolder();
    await put(outside, { 'secret.xmp': xmpPacket(['secret']) });
    const folder = await temporaryFolder();
    await put(folder, {
      ...{ 'broken.jpg': jpeg, 'broken.xmp': '<x:xmpmeta><rdf:RDF>' },
      ...{ 'binary.jpg': jpeg, 'binary.xmp': Buffer.from([0, 1, 2, 255]) },
      ...{ 'linked.jpg': jpeg },
    });
    await symlink(join(outside, 'secret.xmp'), join(folder, 'linked.xmp'));
    const source = await newSource(services, folder);

    const { state } = await ingested(services, source);

    expect(state).toBe('SUCCEEDED');
    expect(await keywordsIn({ folder, source })).toEqual({
      ...{ 'src/binary.jpg': [], 'src/broken.jpg': [], 'src/linked.jpg': [] },
    });
  });

  test('a document type, and with it every entity, is refused', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${xmpPacket(['&b;'])}`;

    expect(readXmpKeywords(Buffer.from(bomb))).toEqual([]);
    expect(readXmpKeywords(Buffer.from(xmpPacket(['&b;'])))).toEqual(['&b;']);
  });

  test('too many and too long keywords are left out', () => {
    const many = Array.from({ length: 600 }, (_, i) => `keyword ${i}`);

    expect(readXmpKeywords(Buffer.from(xmpPacket(many)))).toHaveLength(500);
    expect(readXmpKeywords(Buffer.from(xmpPacket(['x'.repeat(201), ' a\n b '])))).toEqual(['a b']);
    expect(readXmpKeywords(Buffer.alloc(262_145, ' '))).toEqual([]);
  });

  test('UTF-16 with its mark is read', () => {
    const marked = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from(xmpPacket(['a']), 'utf16le'),
    ]);

    expect(readXmpKeywords(marked)).toEqual(['a']);
  });

  test('a cut IPTC block gives what stands before the cut', () => {
    const block = iptcBlock({
      keywords: [Buffer.from('a'), Buffer.from('long one')],
      isUtf8: true,
    });

    for (let length = 0; length <= block.length; length++) {
      const keywords = readIptcKeywords(block.subarray(0, length));
      expect(['', 'a', 'a,long one']).toContain(keywords.join());
    }
    expect(readIptcKeywords(block)).toEqual(['a', 'long one']);
  });
});
