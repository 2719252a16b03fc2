import { describe, expect, test } from '@jest/globals';
import {
  countCollections,
  createCollection,
  deleteCollection,
  findCollection,
  findCollectionsByIds,
  getCollection,
  listCollections,
} from '../../store/collections.ts';
import { asCollectionId } from '../../store/ids.ts';
import {
  countImages,
  findImagesByIds,
  listImages,
  moveImages,
  putImages,
  readFileStates,
} from '../../store/images.ts';
import {
  listTextModels,
  registerTextModel,
  registerVisionSpace,
} from '../../store/model-registry.ts';
import { addSource, listSources, markScanned } from '../../store/sources.ts';
import { useDatabase } from '../support/database.ts';
import { withCode } from '../support/errors.ts';
import { freshName, imageWith, newIndex, NOON, sha256Of } from '../support/rows.ts';

const database = await useDatabase();
const { pool, prisma } = database;
const NOWHERE = '00000000-0000-4000-8000-000000000000';

describe('collections', () => {
  test('a name is taken once, and found however its letters are composed', async () => {
    await createCollection(prisma, { name: 'caf\u00e9' });

    const again = createCollection(prisma, { name: 'cafe\u0301' });

    await expect(again).rejects.toMatchObject(withCode('CONFLICT'));
    expect(await findCollection(prisma, 'cafe\u0301')).toMatchObject({ name: 'caf\u00e9' });
  });

  test.each(['', ' a', '-a', 'a/b', 'a\nb', 'x'.repeat(101)])('%j is no name', async (name) => {
    await expect(createCollection(prisma, { name })).rejects.toMatchObject(
      withCode('BAD_USER_INPUT'),
    );
  });

  test('pages show only what a key may see', async () => {
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await createCollection(prisma, { name: freshName('p') }));
    const among = made.slice(0, 2).map(({ id }) => id);

    const first = await listCollections(prisma, { after: null, limit: 1, among });
    const after = first[0]?.name ?? null;
    const second = await listCollections(prisma, { after, limit: 9, among });

    expect([...first, ...second].map(({ id }) => id)).toEqual(among);
    expect(await countCollections(prisma, among)).toBe(2);
    expect(await findCollectionsByIds(prisma, [...among, asCollectionId('x')])).toHaveLength(2);
  });

  test('what is not there is said to be not there', async () => {
    const missing = withCode('NOT_FOUND');

    await expect(getCollection(prisma, 'none')).rejects.toMatchObject(missing);
    await expect(deleteCollection(prisma, asCollectionId(NOWHERE))).rejects.toMatchObject(missing);
  });

  test('deleting one takes everything of it and nothing of others', async () => {
    const [mine, other] = [await newIndex(database), await newIndex(database)];
    for (const { collectionId } of [mine, other]) {
      const source = await addSource(prisma, { collectionId, name: 's', folder: '/photos' });
      await putImages(pool, collectionId, [imageWith({ sourceId: source.id })]);
    }

    await deleteCollection(prisma, mine.collectionId);

    expect(await countImages(pool, mine.collectionId)).toBe(0);
    expect(await listSources(prisma, mine.collectionId)).toEqual([]);
    expect(await countImages(pool, other.collectionId)).toBe(1);
  });
});

describe('images', () => {
  test('what was put comes back, and putting it again keeps its id', async () => {
    const { collectionId } = await newIndex(database);
    const image = imageWith({
      ...{ path: 'a\nb "c".jpg', bytes: 5_000_000_000, format: 'AVIF', takenAt: NOON },
      metadata: { camera: 'NUL\0cam', gps: [1.5, -2.25] },
    });

    const [id] = await putImages(pool, collectionId, [image]);
    const again = await putImages(pool, collectionId, [{ ...image, width: 41 }]);

    expect(again).toEqual([id]);
    const [stored] = await findImagesByIds(pool, again);
    const { path, sha256, bytes, format, takenAt } = image;
    const metadata = { camera: 'NULcam', gps: [1.5, -2.25] };
    const expected = { path, sha256, bytes, format, takenAt, width: 41, metadata };
    expect(stored).toMatchObject({ ...expected, id, collectionId });
    expect(stored?.addedAt).toBeInstanceOf(Date);
  });

  test('ids come in the order of the images, and pages in the order of ids', async () => {
    const { collectionId } = await newIndex(database);
    const images = ['z', 'a', 'm'].map((path) => imageWith({ path }));

    const ids = await putImages(pool, collectionId, images);

    const stored = await findImagesByIds(pool, ids);
    const paths = new Map(stored.map(({ id, path }) => [id, path]));
    expect(ids.map((id) => paths.get(id))).toEqual(['z', 'a', 'm']);
    const first = await listImages(pool, { collectionId, after: null, limit: 2 });
    const after = first.at(-1)?.id ?? null;
    const second = await listImages(pool, { collectionId, after, limit: 2 });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids.toSorted());
  });

  test('file states tell what changed, and moving keeps the image', async () => {
    const { collectionId } = await newIndex(database);
    const source = await addSource(prisma, { collectionId, name: 's', folder: '/photos' });
    const mtimeNs = 1_700_000_000_123_456_789n;
    const file = imageWith({ sourceId: source.id, path: 's/old.jpg', fileMtimeNs: mtimeNs });
    const [id] = await putImages(pool, collectionId, [file]);
    const page = { sourceId: source.id, after: null, limit: 10 };
    const expected = { id, path: 's/old.jpg', bytes: 1234, mtimeNs, sha256: file.sha256 };
    expect(await readFileStates(pool, page)).toEqual([expected]);

    const moved = { id: id ?? expected.id, path: 's/new.jpg', fileMtimeNs: mtimeNs + 1n };
    await moveImages(pool, moved.id === undefined ? [] : [{ ...moved, id: moved.id }]);

    const states = await readFileStates(pool, page);
    expect(states).toEqual([{ ...expected, path: 's/new.jpg', mtimeNs: mtimeNs + 1n }]);
    await markScanned(prisma, source.id, NOON);
    expect(await listSources(prisma, collectionId)).toMatchObject([{ lastScannedAt: NOON }]);
  });

  test('a folder and a name are one source of a collection', async () => {
    const { collectionId } = await newIndex(database);
    await addSource(prisma, { collectionId, name: 'a', folder: '/a' });

    for (const [name, folder, code] of [
      ['a', '/b', 'CONFLICT'],
      ['b', '/a', 'CONFLICT'],
      ['a/b', '/c', 'BAD_USER_INPUT'],
    ] as const) {
      const adding = addSource(prisma, { collectionId, name, folder });
      await expect(adding).rejects.toMatchObject(withCode(code));
    }
  });

  test('a hash that is none is refused', async () => {
    const { collectionId } = await newIndex(database);
    const image = imageWith({ sha256: sha256Of('x').subarray(1) });

    await expect(putImages(pool, collectionId, [image])).rejects.toThrow(/sha256_length/);
  });
});

describe('models', () => {
  test('a fingerprint is one row, whoever registers it', async () => {
    const space = {
      ...{ fingerprint: freshName('f'), name: 'a', dimensions: 384, backbone: 'dinov2' },
    };
    const rows = await Promise.all([1, 2, 3].map(() => registerVisionSpace(prisma, space)));

    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    const wrong = registerVisionSpace(prisma, { ...space, dimensions: 16 });
    await expect(wrong).rejects.toMatchObject(withCode('MODEL_MISMATCH'));
  });

  test('a version names one text model', async () => {
    const { visionSpaceId } = await newIndex(database);
    const model = {
      ...{ fingerprint: freshName('t'), name: 'default', version: 1, visionSpaceId },
      ...{ languageModel: 'smol', metrics: { r1: 46.5 } },
    };
    const { id } = await registerTextModel(prisma, model);

    expect(await registerTextModel(prisma, model)).toMatchObject({ id, metrics: { r1: 46.5 } });
    expect(await listTextModels(prisma)).toMatchObject([{ id, version: 1 }]);
    const other = registerTextModel(prisma, { ...model, fingerprint: freshName('t') });
    await expect(other).rejects.toMatchObject(withCode('CONFLICT'));
  });
});
