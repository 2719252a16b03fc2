import { createHash, createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import { MAX_K, type Neighbors, type SearchPath } from '../../indexer/vector-index/vector-index.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';

/** Looks for the k nearest; called again with a larger k when pages go deeper. */
export type FindNearest = (k: number) => Promise<Neighbors & { readonly found?: number }>;

export interface RankedImage {
  readonly id: bigint;
  readonly score: number;
  /** From 1. */
  readonly rank: number;
}

export interface RankingPage {
  readonly images: readonly RankedImage[];
  readonly path: SearchPath;
  readonly hasMore: boolean;
}

const CURSOR = z.object({
  /** Which ranking: a hash of what was asked. */
  q: z.string(),
  /** Generation it was made in. */
  g: z.string(),
  /** Last rank read. */
  r: z.int().min(1).max(MAX_K),
  /** Score and id at that rank. */
  s: z.number(),
  i: z.string().regex(/^\d{1,19}$/),
  /** Seal over the others: a rank that no page ended with would be a deep search at the price of a shallow one. */
  m: z.string(),
});

interface Ranking {
  ids: BigUint64Array;
  scores: Float32Array;
  path: SearchPath;
  /** How many were asked for so far. */
  k: number;
  isComplete: boolean;
}

/** Images that remembered rankings have together, 12 bytes each; a ranking a quarter of an hour old is made again. */
const MOST_IMAGES = 4_000_000;
const KEPT_MS = 15 * 60_000;
/** How many are looked for at first, at least; four times as many whenever pages go deeper. */
const FIRST_K = 100;
/** Part of what is sealed, so that the secret can seal other things as well. */
const PURPOSE = 'sharelock-cursor-1';
const GROWTH = 4;

/**
 * The ranked list of a query is made once, and pages are read from it: an image that comes or goes meanwhile shifts nothing. A
 * ranking that was forgotten, or that another process made, is made again and read on after the cursor's score and id, so that no
 * image comes twice. A cursor of a generation that is no longer live is refused.
 */
export class Rankings {
  readonly #rankings = new LRUCache<string, Ranking>({
    maxSize: MOST_IMAGES,
    sizeCalculation: ({ ids }) => ids.length + 50,
    ttl: KEPT_MS,
  });
  readonly #secret: Uint8Array;

  /** `secret`: the same in all processes whose cursors go on in each other. */
  constructor(secret: Uint8Array = randomBytes(32)) {
    this.#secret = secret;
  }

  /** A page of `first` after the cursor. `query` is everything that decides the ranking within the generation. */
  async page(
    { query, generationId, first, after, gone = NONE }: PageRequest,
    findAll: FindNearest,
  ): Promise<RankingPage> {
    const find: FindNearest = async (k) => leaveOut(await findAll(k), gone);
    const q = hashOf(query);
    const position = after === null ? null : this.#read(after, q, generationId);
    const key = `${generationId} ${q}`;
    // Without a cursor it is a new question, and gets what is there now.
    const known = position === null ? undefined : this.#rankings.get(key);
    const ranking = known ?? emptyRanking();
    if (gone.size > 0) Object.assign(ranking, leaveOut(ranking, gone));
    const start = await this.#startOf(ranking, position, known !== undefined, find);
    await extend(ranking, start + first + 1, find);
    this.#rankings.set(key, ranking);
    const ids = ranking.ids.subarray(start, start + first);
    return {
      images: Array.from(ids, (id, i) => ({
        id,
        score: ranking.scores[start + i] ?? 0,
        rank: start + i + 1,
      })),
      path: ranking.path,
      hasMore: ranking.ids.length > start + first,
    };
  }

  cursorOf(query: unknown, generationId: string, { id, score, rank }: RankedImage): string {
    const place = { q: hashOf(query), g: generationId, r: rank, s: score, i: id.toString() };
    return encodeCursor('search', { ...place, m: this.#seal(place) });
  }

  #read(cursor: string, q: string, generationId: string): Position {
    const position = decodeCursor('search', cursor, CURSOR);
    if (position.q !== q) throw notOfThisSearch();
    if (position.g !== generationId) {
      const message = 'The cursor\'s generation is no longer live: search again without "after".';
      throw new PlatformError('CURSOR_EXPIRED', message);
    }
    if (position.m !== this.#seal(position)) throw notOfThisSearch();
    return position;
  }

  #seal({ q, g, r, s, i }: Place): string {
    const sealed = JSON.stringify([PURPOSE, q, g, r, s, i]);
    return createHmac('sha256', this.#secret).update(sealed).digest('base64url').slice(0, 16);
  }

  async #startOf(
    ranking: Ranking,
    position: Position | null,
    isKnown: boolean,
    find: FindNearest,
  ): Promise<number> {
    if (position === null) return 0;
    if (isKnown && ranking.ids[position.r - 1] === BigInt(position.i)) return position.r;
    for (;;) {
      await extend(ranking, position.r + 1, find);
      const start = ranking.ids.findIndex((id, i) => isAfter(ranking.scores[i] ?? 0, id, position));
      if (start >= 0) return start;
      if (ranking.isComplete) return ranking.ids.length;
      await extend(ranking, ranking.ids.length + 1, find);
    }
  }
}

export interface PageRequest {
  readonly query: unknown;
  readonly generationId: string;
  readonly first: number;
  readonly after: string | null;
  /** Images that were deleted: the index will say so in a moment. */
  readonly gone?: ReadonlySet<bigint>;
}

const NONE: ReadonlySet<bigint> = new Set();

function leaveOut<T extends Pick<Ranking, 'ids' | 'scores'>>(
  nearest: T,
  gone: ReadonlySet<bigint>,
): T & { readonly found: number } {
  const { ids, scores } = nearest;
  const found = ids.length;
  if (gone.size === 0) return { ...nearest, found };
  const kept = Array.from(ids.keys()).filter((i) => !gone.has(ids[i] ?? 0n));
  return {
    ...nearest,
    ids: BigUint64Array.from(kept, (i) => ids[i] ?? 0n),
    scores: Float32Array.from(kept, (i) => scores[i] ?? 0),
    found,
  };
}

type Position = z.infer<typeof CURSOR>;
type Place = Omit<Position, 'm'>;

function emptyRanking(): Ranking {
  const [ids, scores] = [new BigUint64Array(0), new Float32Array(0)];
  return { ids, scores, path: 'EXACT', k: 0, isComplete: false };
}

/** Makes the ranking at least `count` long where there are as many. What is in it stays as it is. */
async function extend(ranking: Ranking, count: number, find: FindNearest): Promise<void> {
  while (!ranking.isComplete && ranking.ids.length < count) {
    const k = Math.min(MAX_K, Math.max(FIRST_K, count, ranking.k * GROWTH));
    const { ids, scores, path, found = ids.length } = await find(k);
    const known = new Set(ranking.ids);
    const fresh = Array.from(ids.keys()).filter((i) => !known.has(ids[i] ?? 0n));
    ranking.ids = BigUint64Array.from([...ranking.ids, ...fresh.map((i) => ids[i] ?? 0n)]);
    ranking.scores = Float32Array.from([...ranking.scores, ...fresh.map((i) => scores[i] ?? 0)]);
    ranking.path = path;
    ranking.k = k;
    ranking.isComplete = found < k || k === MAX_K;
  }
}

/** Best first; equal scores by id, as indexes order them. */
function isAfter(score: number, id: bigint, { s, i }: Position): boolean {
  return score < s || (score === s && id > BigInt(i));
}

function notOfThisSearch(): PlatformError {
  const message = 'The cursor "after" belongs to another search: repeat the one it came from.';
  return new PlatformError('BAD_USER_INPUT', message);
}

function hashOf(query: unknown): string {
  const text = JSON.stringify(query, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
