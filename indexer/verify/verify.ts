import type { Models } from '../../models/loaded-models.ts';
import { PlatformError } from '../../platform/errors.ts';
import type { CollectionRecord } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import { COMPLETE } from '../../store/generation-switch.ts';
import {
  listKeptGenerations,
  type GenerationRecord,
  type GenerationState,
} from '../../store/generations.ts';
import type { CollectionId } from '../../store/ids.ts';
import { listVisionSpaces } from '../../store/model-registry.ts';
import { inTransaction, type Queryable } from '../../store/transaction.ts';
import type { Decoder } from '../ingest/decode.ts';
import type { UploadStore } from '../ingest/uploads.ts';
import type { ThumbnailStore } from '../ingest/thumbnails.ts';
import { findVisionModel } from '../targets.ts';
import { checkRows } from './check-rows.ts';
import { checkSample } from './check-sample.ts';
import { checkVectors } from './check-vectors.ts';

export interface VerifyServices {
  readonly database: Database;
  readonly models: Models;
  readonly decoder: Pick<Decoder, 'decode'>;
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

/** Groups of checks: of rows, of every vector, of a sample of images. */
export const PARTS = ['rows', 'vectors', 'sample'] as const;
export type Part = (typeof PARTS)[number];

/** A part of what is to be checked, of one kept generation. */
export interface VerifyStep {
  readonly generation: GenerationRecord;
  readonly part: Part;
}

/** What there is to check of a collection. */
export async function listSteps(
  { database }: Pick<VerifyServices, 'database'>,
  collectionId: CollectionId,
): Promise<readonly VerifyStep[]> {
  const generations = await listKeptGenerations(database.prisma, collectionId);
  return generations.flatMap((generation) => PARTS.map((part) => ({ generation, part })));
}

export interface VerifyOptions {
  /** Images that are embedded again from their files. */
  readonly sample: number;
  readonly signal: AbortSignal;
}

/** Checks what must always be true of a collection. */
export async function verifyCollection(
  services: VerifyServices,
  { id }: CollectionRecord,
  options: VerifyOptions,
): Promise<readonly Check[]> {
  const steps = await listSteps(services, id);
  if (!steps.some(({ generation }) => generation.state === 'LIVE')) {
    const violations = ['The collection has no live generation.'];
    return [{ name: 'live generation', looked: 1, violations, notes: [] }];
  }
  const checks: Check[] = [];
  for (const step of steps) {
    const found = await verifyStep(services, step, options);
    const { state, number } = step.generation;
    const prefix = state === 'LIVE' ? '' : `generation ${number}: `;
    checks.push(...found.map((check) => ({ ...check, name: `${prefix}${check.name}` })));
  }
  return checks;
}

/** Samples need a bundle of the vision space; without one they look at nothing, and say so. */
export async function verifyStep(
  services: VerifyServices,
  { generation, part }: VerifyStep,
  options: VerifyOptions,
): Promise<readonly Check[]> {
  const { pool, prisma } = services.database;
  const { collectionId, visionSpaceId } = generation;
  const key = { collectionId, visionSpaceId };
  const spaces = await listVisionSpaces(prisma);
  const space = spaces.find(({ id }) => id === visionSpaceId);
  if (space === undefined) throw new PlatformError('NOT_FOUND', 'The vision space is gone.');
  switch (part) {
    case 'rows':
      return inTransaction(pool, (client) => checkRowsNow(client, generation));
    case 'vectors':
      return [await checkVectors(pool, key, space.dimensions)];
    case 'sample': {
      const vision = await findVisionModel(services.models, spaces, visionSpaceId);
      if (vision !== null) return checkSample({ ...services, vision }, key, options);
      const notes = [`There is no bundle here for the vision space ${space.name}.`];
      return [{ name: 'a sample of images', looked: 0, violations: [], notes }];
    }
  }
}

/** All of one moment: generations are promoted and given up while they are looked at, and images come and go. */
async function checkRowsNow(
  client: Queryable,
  { id, collectionId, visionSpaceId }: GenerationRecord,
): Promise<readonly Check[]> {
  await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const { rows } = await client.query<{ state: GenerationState }>(
    'SELECT state FROM generations WHERE id = $1 AND discarded_at IS NULL',
    [id],
  );
  const [now] = rows;
  if (now === undefined) return []; // given up meanwhile
  const key = { collectionId, visionSpaceId };
  return checkRows(client, key, { isComplete: COMPLETE.has(now.state) });
}
