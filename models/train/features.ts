import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { chunk } from '../../platform/chunk.ts';
import { throwIfAborted, type PlatformError } from '../../platform/errors.ts';
import { Random } from '../../platform/random.ts';
import type { Bundle } from '../bundle.ts';
import { ImageEncoder } from '../image-encoder.ts';
import type { View } from '../image-preprocessing.ts';
import { joinRows } from '../rows.ts';
import { TextEncoder } from '../text-encoder.ts';
import { FeatureCache } from './feature-cache.ts';

/** Rows written at once: what a kill can cost. */
const TEXT_CHUNK = 1024;
const PHOTO_CHUNK = 256;

export interface FeatureOptions {
  /** Folder of all caches; each maker has its own inside. */
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PhotoRequest {
  readonly path: string;
  readonly views: readonly NamedView[];
}

export interface NamedView {
  readonly name: string;
  /** The view of one photo; `random` belongs to that photo and view. */
  readonly view: (random: Random) => View;
}

/** Training sees each photo plain, mirrored, and in two random parts of 75 to 100 % of each side. */
export const PLAIN_VIEW: NamedView = { name: 'plain', view: () => ({}) };
export const TRAINING_VIEWS: readonly NamedView[] = [
  PLAIN_VIEW,
  { name: 'flip', view: () => ({ isFlipped: true }) },
  { name: 'crop-1', view: randomCrop },
  { name: 'crop-2', view: randomCrop },
];

/** Features of texts, [texts, width], from the cache where they are. */
export async function textFeatures(
  bundle: Bundle,
  texts: readonly string[],
  { cache, signal, onProgress }: FeatureOptions,
): Promise<Float32Array> {
  const folder = join(cache, `language-${bundle.languageFeatures}`);
  const store = await FeatureCache.open(folder, bundle.manifest.language.dimensions);
  try {
    const missing = [...new Set(texts)].filter((text) => !store.has(text));
    if (missing.length > 0) {
      const encoder = await TextEncoder.load(bundle, { featuresOnly: true });
      try {
        // Alike lengths together: less padding, and the slowest texts come first.
        missing.sort((a, b) => b.length - a.length);
        let done = 0;
        for (const part of chunk(missing, TEXT_CHUNK)) {
          await store.add(part, await encoder.features(part, { signal }));
          onProgress?.((done += part.length), missing.length);
        }
      } finally {
        await encoder.dispose();
      }
    }
    return await store.read(texts);
  } finally {
    await store.close();
  }
}

export interface PhotoFeatures {
  /** Per view: the embeddings of the readable photos, [photos, dimensions]. */
  readonly views: readonly Float32Array[];
  /** Which of the photos asked for are in `views`, by index. */
  readonly readable: readonly number[];
  readonly unreadable: readonly { readonly path: string; readonly error: PlatformError }[];
}

/** Embeddings of photos in the given views; a photo that can't be read is left out and named. */
export async function photoFeatures(
  bundle: Bundle,
  paths: readonly string[],
  views: readonly NamedView[],
  { cache, signal, onProgress }: FeatureOptions,
): Promise<PhotoFeatures> {
  const folder = join(cache, `vision-${bundle.visionSpace}`);
  const store = await FeatureCache.open(folder, bundle.manifest.vision.dimensions);
  /** By what the file holds: two broken files alike are broken both. */
  const unreadable = new Map<string, PlatformError>();
  try {
    const contents = await hashAll(paths, signal);
    const keyOf = (photo: number, { name }: NamedView): string =>
      `${contents[photo] ?? ''} ${name}`;
    const wanted = paths.flatMap((path, photo) =>
      views.map((view) => ({
        path,
        content: contents[photo] ?? '',
        view,
        key: keyOf(photo, view),
      })),
    );
    const missing = [...new Map(wanted.map((one) => [one.key, one])).values()].filter(
      ({ key }) => !store.has(key),
    );
    if (missing.length > 0) {
      const encoder = await ImageEncoder.load(bundle);
      try {
        let done = 0;
        for (const part of chunk(missing, PHOTO_CHUNK)) {
          const sources = part.map(({ path, view, key }) => ({
            image: path,
            view: view.view(new Random(key)),
          }));
          const encoded = await encoder.encodeAll(sources, { signal });
          const good = part.filter((one, i) => {
            const error = encoded[i]?.error;
            if (error) unreadable.set(one.content, error);
            return !error;
          });
          const rows = encoded.flatMap(({ embedding }) => (embedding ? [embedding] : []));
          await store.add(
            good.map(({ key }) => key),
            joinRows(rows, store.width),
          );
          onProgress?.((done += part.length), missing.length);
        }
      } finally {
        await encoder.dispose();
      }
    }
    const readable = paths.flatMap((_, i) => (unreadable.has(contents[i] ?? '') ? [] : [i]));
    const rows = [];
    for (const view of views)
      rows.push(await store.read(readable.map((photo) => keyOf(photo, view))));
    return {
      views: rows,
      readable,
      unreadable: paths.flatMap((path, i) => {
        const error = unreadable.get(contents[i] ?? '');
        return error ? [{ path, error }] : [];
      }),
    };
  } finally {
    await store.close();
  }
}

function randomCrop(random: Random): View {
  const [width, height] = [0.75 + random.uniform() / 4, 0.75 + random.uniform() / 4];
  const region = [
    random.uniform() * (1 - width),
    random.uniform() * (1 - height),
    width,
    height,
  ] as const;
  return { region };
}

/** SHA-256 of each file; a file that can't be opened hashes to its path (decoding it will say why). */
async function hashAll(
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const hashes: string[] = [];
  for (const part of chunk(paths, 32)) {
    throwIfAborted(signal);
    hashes.push(...(await Promise.all(part.map((path) => hashFile(path).catch(() => path)))));
  }
  return hashes;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
