import type { Bundle } from '../../models/bundle.ts';
import type { ImageEncoder } from '../../models/image-encoder.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { findLiveGeneration } from '../../store/generations.ts';
import { registerBundle } from '../collections.ts';
import type { Decoder } from '../ingest/decode.ts';
import type { UploadStore } from '../ingest/uploads.ts';
import type { ThumbnailStore } from '../ingest/thumbnails.ts';
import { checkRows } from './check-rows.ts';
import { checkSample } from './check-sample.ts';
import { checkVectors } from './check-vectors.ts';

export interface VerifyServices {
  readonly database: Database;
  readonly bundle: Bundle;
  readonly decoder: Pick<Decoder, 'decode'>;
  readonly encoder: () => Promise<Pick<ImageEncoder, 'encodePixels' | 'dimensions'>>;
  readonly uploads: UploadStore;
  readonly thumbnails: ThumbnailStore;
}

export interface Check {
  readonly name: string;
  /** How much was looked at. */
  readonly looked: number;
  /** One line each; empty: good. */
  readonly violations: readonly string[];
  /** Worth knowing, and no fault. */
  readonly notes: readonly string[];
}

/** Most violations a check lists. */
export const MAX_LISTED = 100;

/** Checks what must always be true of a collection. `sample`: images that are embedded again from their files. */
export async function verifyCollection(
  services: VerifyServices,
  collection: CollectionRecord,
  { sample, signal }: { readonly sample: number; readonly signal: AbortSignal },
): Promise<readonly Check[]> {
  const { database, bundle } = services;
  const live = await findLiveGeneration(database.prisma, collection.id);
  if (live === null) {
    const violations = ['The collection has no live generation.'];
    return [{ name: 'live generation', looked: 1, violations, notes: [] }];
  }
  const key = { collectionId: collection.id, visionSpaceId: live.visionSpaceId };
  const rows = await checkRows(database.pool, key);
  const { visionSpace } = await registerBundle(database, bundle);
  const isOurs = visionSpace.id === live.visionSpaceId;
  const vectors = await checkVectors(database.pool, key, isOurs ? visionSpace.dimensions : null);
  if (!isOurs) return [...rows, vectors];
  return [...rows, vectors, ...(await checkSample(services, key, { sample, signal }))];
}
