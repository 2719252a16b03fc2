import { PlatformError } from '../../platform/errors.ts';
import type { SourceRecord } from '../../store/sources.ts';
import type { Move } from './commit.ts';
import { isMissing, locateFile } from './image-file.ts';
import type { FileOfImage } from '../../store/image-files.ts';
import type { ReadBatch, ReadFile } from './read-batch.ts';

/**
 * New paths whose bytes an image of the collection has whose own file is gone: that image moved, and keeps its id. Each
 * image moves to one path.
 */
export async function findMoves(
  { files, states, sameBytes }: ReadBatch,
  sources: ReadonlyMap<string, SourceRecord>,
): Promise<readonly Move[]> {
  const moves: Move[] = [];
  const taken = new Set<bigint>();
  for (const file of files) {
    if (file.sourceId === null || states.has(file.path)) continue;
    const image = await findMoved(file, sameBytes, sources, taken);
    if (image === null) continue;
    taken.add(image.id);
    moves.push({ file, image });
  }
  return moves;
}

async function findMoved(
  { hash, path }: ReadFile,
  sameBytes: ReadBatch['sameBytes'],
  sources: ReadonlyMap<string, SourceRecord>,
  taken: ReadonlySet<bigint>,
): Promise<FileOfImage | null> {
  for (const image of sameBytes.get(hash) ?? []) {
    const source = image.sourceId === null ? undefined : sources.get(image.sourceId);
    if (source === undefined || taken.has(image.id) || image.path === path) continue;
    if (await isGone(source, image.path)) return image;
  }
  return null;
}

/** A source whose folder is away as a whole tells nothing of its files, nor does a folder that can't be read. */
async function isGone(source: SourceRecord, path: string): Promise<boolean> {
  if (await isMissing(source.folder)) return false;
  try {
    return await isMissing(await locateFile(source, path));
  } catch (error) {
    if (error instanceof PlatformError) return error.code === 'NOT_FOUND';
    throw error;
  }
}
