import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import sharp from 'sharp';
import { findPresence, locateFile, locateImage } from '../../../indexer/ingest/image-file.ts';
import { resolveSourceFolder } from '../../../indexer/ingest/sources.ts';
import { ThumbnailStore } from '../../../indexer/ingest/thumbnails.ts';
import { uploadPath, UploadStore } from '../../../indexer/ingest/uploads.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { withCode } from '../../support/errors.ts';
import { plain, RED } from '../../support/images.ts';
import { useDecoder } from '../../support/indexing.ts';
import { sha256Of } from '../../support/rows.ts';

const REFUSED = withCode('BAD_USER_INPUT');
const GONE = withCode('NOT_FOUND');

describe('source folders', () => {
  test('one below a root is taken by its real path; others are refused', async () => {
    const root = await realpath(await temporaryFolder());
    const outside = await temporaryFolder();
    await mkdir(join(root, 'photos'));
    await symlink(root, join(outside, 'to root'));
    await symlink(outside, join(root, 'to outside'));
    await writeFile(join(root, 'file'), 'x');
    const resolve = (folder: string): Promise<string> => resolveSourceFolder(folder, [root]);

    expect(await resolve(join(root, 'photos'))).toBe(join(root, 'photos'));
    expect(await resolve(join(outside, 'to root', 'photos'))).toBe(join(root, 'photos'));
    expect(await resolve(root)).toBe(root);
    await expect(resolve(outside)).rejects.toMatchObject(REFUSED);
    await expect(resolve(join(root, 'to outside'))).rejects.toMatchObject(REFUSED);
    await expect(resolve(`${root}x`)).rejects.toMatchObject(REFUSED);
    await expect(resolve(join(root, 'file'))).rejects.toMatchObject(REFUSED);
    await expect(resolveSourceFolder(root, [])).rejects.toMatchObject(REFUSED);
    expect(await resolveSourceFolder(outside, null)).toBe(await realpath(outside));
  });
});

describe("an image's original", () => {
  test('lies in its source, whatever has become of the folders on the way', async () => {
    const folder = await realpath(await temporaryFolder());
    const outside = await temporaryFolder();
    await mkdir(join(folder, 'sub'));
    await symlink(outside, join(folder, 'link'));
    const uploads = new UploadStore(await temporaryFolder());
    const source = { name: 'src', folder };
    const locate = (path: string): Promise<string> =>
      locateImage({ path, sha256: sha256Of('a'), sourceId: 'id' }, source, uploads);

    expect(await locate('src/sub/a.jpg')).toBe(join(folder, 'sub', 'a.jpg'));
    for (const path of ['src/link/a.jpg', 'src/../a.jpg', 'src/sub/../../a', 'other/a', 'src//a']) {
      await expect(locate(path)).rejects.toMatchObject(GONE);
    }
  });
});

test('a file counts as gone only when the system says so', async () => {
  const folder = await realpath(await temporaryFolder());
  await symlink('loop', join(folder, 'loop'));
  await writeFile(join(folder, 'file'), 'x');
  const source = { name: 'src', folder };

  await expect(locateFile(source, 'src/loop/a.jpg')).rejects.toMatchObject({
    reason: 'UNREADABLE',
    message: "A folder on the way to src/loop/a.jpg can't be read (ELOOP).",
  });
  for (const path of ['src/none/a.jpg', 'src/file/sub/a.jpg']) {
    await expect(locateFile(source, path)).rejects.toMatchObject(GONE);
  }
  expect(await findPresence(join(folder, 'loop', 'a.jpg'))).toBe('unknown');
  expect(await findPresence(join(folder, 'file', 'a.jpg'))).toBe('gone');
  expect(await findPresence(join(folder, 'file'))).toBe('there');
});

describe('uploads', () => {
  test('are kept by the hash of their bytes, once', async () => {
    const uploads = new UploadStore(await temporaryFolder());
    const save = (): ReturnType<UploadStore['save']> =>
      uploads.save(Readable.from([Buffer.from('ab'), Buffer.from('c')]), { maxBytes: 3 });

    const [first, second] = [await save(), await save()];

    expect(first).toEqual({ sha256: sha256Of('abc'), bytes: 3 });
    expect(second).toEqual(first);
    expect(await readFile(uploads.pathOf(first.sha256), 'utf8')).toBe('abc');
  });

  test('too long a one leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const uploads = new UploadStore(folder);

    const saving = uploads.save(Readable.from([Buffer.from('abcd')]), { maxBytes: 3 });

    await expect(saving).rejects.toMatchObject(REFUSED);
    await expect(stat(uploads.pathOf(sha256Of('abcd')))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a stream that breaks before it is read is an error of that upload alone', async () => {
    const folder = await temporaryFolder();
    const stream = new PassThrough();

    const saving = new UploadStore(folder).save(stream, { maxBytes: 3 });
    stream.destroy(new Error('The client went away.'));

    await expect(saving).rejects.toThrow('The client went away.');
    expect(await readdir(join(folder, 'uploads'))).toEqual([]);
  });

  test('a stream that nobody could read is freed', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'no folder');
    const stream = Readable.from([Buffer.from('abc')]);

    const saving = new UploadStore(file).save(stream, { maxBytes: 3 });

    await expect(saving).rejects.toMatchObject(REFUSED);
    expect(stream.destroyed).toBe(true);
  });

  test.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\photos\\a b.jpg', 'a b.jpg'],
    ['tab\tnew\nline.jpg', 'tabnewline.jpg'],
    ['..', 'upload'],
    ['', 'upload'],
    ['é'.repeat(300), 'é'.repeat(100)],
  ])('the name %j becomes %j', (name, clean) => {
    const hash = sha256Of('x');

    expect(uploadPath(hash, name)).toBe(`uploads/${hash.toString('hex').slice(0, 12)}-${clean}`);
  });
});

describe('thumbnails', () => {
  const decoder = useDecoder();

  test('are made when they are asked for, once, and made again when they are lost', async () => {
    const folder = await temporaryFolder();
    const original = join(folder, 'a.png');
    const bytes = await plain(RED, 3000, 1500).png().toBuffer();
    await writeFile(original, bytes);
    const hash = createHash('sha256').update(bytes).digest();
    const store = new ThumbnailStore(folder);
    expect(await store.find(hash, 'LARGE')).toBeNull();

    const files = await Promise.all(
      [1, 2, 3].map(() => store.get({ sha256: hash, original, size: 'LARGE' }, decoder)),
    );

    expect(new Set(files).size).toBe(1);
    const [file = ''] = files;
    expect(await sharp(file).metadata()).toMatchObject({
      format: 'webp',
      width: 1280,
      height: 640,
    });
    await rm(file);
    expect(await store.get({ sha256: hash, original, size: 'LARGE' }, decoder)).toBe(file);
    await writeFile(file, ''); // what a power cut leaves
    await store.get({ sha256: hash, original, size: 'LARGE' }, decoder);
    expect((await stat(file)).size).toBeGreaterThan(0);
  });

  test('are not made of other bytes than the image has', async () => {
    const folder = await temporaryFolder();
    const original = join(folder, 'a.png');
    await plain(RED).png().toFile(original);
    const store = new ThumbnailStore(folder);

    const making = store.get({ sha256: sha256Of('others'), original, size: 'SMALL' }, decoder);

    await expect(making).rejects.toMatchObject({ reason: 'CHANGED_WHILE_READ' });
  });
});
