import type { Pool } from 'pg';
import {
  messageOf,
  PlatformError,
  systemErrorCode,
  throwIfAborted,
} from '../../../platform/errors.ts';
import type { ImageRecord } from '../../../store/images.ts';
import type { SourceRecord } from '../../../store/sources.ts';
import { findPresence, locateFile } from '../../ingest/image-file.ts';
import { resolveSourceFolder } from '../../ingest/sources.ts';
import { UnreadableImage } from '../../ingest/reasons.ts';
import { keywordChanges, readChains } from './keyword-changes.ts';
import { updateSidecar, type SidecarNaming } from './sidecar-file.ts';
import { readTaggedImages, type ExportRequest, type TaggedImage } from './tagged-images.ts';

export interface SidecarRequest extends ExportRequest {
  readonly naming: SidecarNaming;
  readonly dryRun: boolean;
  /** The collection's. */
  readonly sources: readonly SourceRecord[];
  /** Folders below which sources may lie; null: anywhere. */
  readonly mediaRoots: readonly string[] | null;
  /** Told of each photo that was left out, and why. */
  readonly onSkipped: (path: string, reason: string) => void;
}

export interface SidecarCounts {
  written: number;
  unchanged: number;
  skipped: number;
}

/** Writes keywords beside the photos of a collection. Photos themselves are never opened. Uploads have no folder, and are left out. */
export async function writeSidecars(pool: Pool, request: SidecarRequest): Promise<SidecarCounts> {
  const counts: SidecarCounts = { written: 0, unchanged: 0, skipped: 0 };
  const chains = await readChains(pool);
  const folders = await allowedSources(request);
  const { vocabulary, signal } = request;
  for await (const page of readTaggedImages(pool, request)) {
    const changes = await keywordChanges(pool, page, { chains, vocabulary });
    for (const { image } of page) {
      throwIfAborted(signal);
      const change = changes.get(image.id);
      if (change === undefined || image.sourceId === null) continue;
      const source = folders.get(image.sourceId);
      await count(counts, image, request, async () =>
        updateSidecar(await locate(image, source), change, request),
      );
    }
  }
  return counts;
}

/** By id. Those outside of the media roots say why. */
async function allowedSources({
  sources,
  mediaRoots,
}: SidecarRequest): Promise<ReadonlyMap<string, SourceRecord | PlatformError>> {
  const checked = sources.map(async (source): Promise<[string, SourceRecord | PlatformError]> => {
    try {
      await resolveSourceFolder(source.folder, mediaRoots);
      return [source.id, source];
    } catch (error) {
      if (error instanceof PlatformError) return [source.id, error];
      throw error;
    }
  });
  return new Map(await Promise.all(checked));
}

/** The photo's absolute path, in its source's real folder. */
async function locate(
  { path }: TaggedImage['image'],
  source: SourceRecord | PlatformError | undefined,
): Promise<string> {
  if (source instanceof PlatformError) throw source;
  if (source === undefined) throw new PlatformError('NOT_FOUND', 'Its source is gone.');
  const file = await locateFile(source, path);
  if ((await findPresence(file)) === 'there') return file;
  throw new PlatformError('NOT_FOUND', 'The photo is gone.');
}

async function count(
  counts: SidecarCounts,
  { path }: ImageRecord,
  { onSkipped }: SidecarRequest,
  update: () => Promise<'written' | 'unchanged'>,
): Promise<void> {
  try {
    counts[await update()]++;
  } catch (error) {
    if (!isOfThisPhoto(error)) throw error;
    counts.skipped++;
    onSkipped(path, messageOf(error));
  }
}

/** A full disk is everybody's. */
function isOfThisPhoto(error: unknown): boolean {
  const isRefused = error instanceof PlatformError || error instanceof UnreadableImage;
  return (
    isRefused ||
    ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '')
  );
}
