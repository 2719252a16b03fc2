import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';

const CAPTIONS = 'captions.jsonl';

const photoSchema = z.object({
  image: z.string().min(1),
  split: z.string().min(1).optional(),
  captions: z.array(z.string()).min(1),
});

/** A photo of a captioned dataset. */
export interface CaptionedPhoto {
  /** The file's path. */
  readonly path: string;
  readonly captions: readonly string[];
}

/** A photo of a classified dataset. */
export interface ClassifiedPhoto {
  readonly path: string;
  /** Index into the class names. */
  readonly label: number;
}

export interface ClassifiedDataset {
  /** Folder names with `_` and `-` read as spaces. */
  readonly classes: readonly string[];
  readonly photos: readonly ClassifiedPhoto[];
}

/**
 * The photos of one split of a dataset: a folder with `captions.jsonl`, a line `{image, split, captions[]}` a photo, `image`
 * being a path inside the folder. Split `all` takes every line. Throws `INVALID_DATASET` with the line, or with the splits there are.
 */
export async function readCaptionedPhotos(
  folder: string,
  split: string,
): Promise<CaptionedPhoto[]> {
  const photos: CaptionedPhoto[] = [];
  const splits = new Set<string>();
  let line = 0;
  try {
    const lines = createInterface({
      input: createReadStream(join(folder, CAPTIONS)),
      crlfDelay: Infinity,
    });
    for await (const text of lines) {
      line++;
      if (text.trim() === '') continue;
      const row = photoSchema.parse(JSON.parse(text));
      splits.add(row.split ?? 'all');
      if (split !== 'all' && row.split !== split) continue;
      photos.push({ path: join(folder, insideFolder(row.image)), captions: row.captions });
    }
  } catch (error) {
    throw datasetError(folder, line, error);
  }
  if (photos.length === 0) {
    const known = [...splits].sort().join(', ') || 'none';
    throw new PlatformError(
      'INVALID_DATASET',
      `${folder} has no photo of split "${split}"; it has: ${known}.`,
    );
  }
  return photos;
}

/** The photos of a folder of class folders, in order of name; at most `limitPerClass` of each. */
export async function readClassifiedPhotos(
  folder: string,
  limitPerClass = Infinity,
): Promise<ClassifiedDataset> {
  const names = await listNames(folder, 'folders');
  const photos: ClassifiedPhoto[] = [];
  for (const [label, name] of names.entries()) {
    const files = (await listNames(join(folder, name), 'files')).slice(0, limitPerClass);
    photos.push(...files.map((file) => ({ path: join(folder, name, file), label })));
  }
  if (photos.length === 0) {
    const wanted = 'a folder of class folders, each with its photos';
    throw new PlatformError(
      'INVALID_DATASET',
      `${folder} holds no classified photos; name ${wanted}.`,
    );
  }
  return { classes: names.map((name) => name.replaceAll(/[_-]/g, ' ').trim()), photos };
}

async function listNames(folder: string, kind: 'folders' | 'files'): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const kept = entries.filter((entry) =>
      kind === 'folders' ? entry.isDirectory() : entry.isFile(),
    );
    return kept
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (cause) {
    throw new PlatformError('INVALID_DATASET', `${folder} can't be listed: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function insideFolder(path: string): string {
  const normal = normalize(path);
  if (isAbsolute(normal) || normal === '..' || normal.startsWith(`..${sep}`)) {
    throw new Error(`"image" must be a path inside the dataset's folder, not ${path}`);
  }
  return normal;
}

function datasetError(folder: string, line: number, cause: unknown): PlatformError {
  if (systemErrorCode(cause) === 'ENOENT') {
    const story = `${folder} has no ${CAPTIONS}; name a folder that has one`;
    return new PlatformError(
      'INVALID_DATASET',
      `${story} (a line {image, split, captions} a photo).`,
      { cause },
    );
  }
  const [issue] = cause instanceof z.ZodError ? cause.issues : [];
  const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(cause);
  const where = line > 0 ? `${CAPTIONS} line ${line}` : CAPTIONS;
  return new PlatformError('INVALID_DATASET', `${folder}: ${where}: ${reason}`, { cause });
}
