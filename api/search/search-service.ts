import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import { normalize, type Embedding } from '../../models/embedding.ts';
import { MAX_K, type Neighbors, type SearchPath } from '../../indexer/vector-index/vector-index.ts';
import type { Database } from '../../store/database.ts';
import type { GenerationRecord } from '../../store/generations.ts';
import type { CollectionId, ImageId } from '../../store/ids.ts';
import { asImageId } from '../../store/ids.ts';
import { isEmptyFilter, queryImageIds, type ImageFilter } from '../../store/image-query.ts';
import type { ImageRecord } from '../../store/images.ts';
import type { TextModelRecord, VisionSpaceRecord } from '../../store/model-registry.ts';
import type { IndexKey } from '../../store/changes.ts';
import type { IndexSearch } from './collection-index.ts';
import type { CollectionIndexes } from './collection-indexes.ts';
import { Rankings, type RankedImage, type RankingPage } from './rankings.ts';
import type { TextEmbeddings } from './text-embeddings.ts';
import type { TextModels } from './text-models.ts';

/** One weighted part of a query. Images and uploads come as embeddings, with a name that says which. */
export type Term =
  | { readonly kind: 'text'; readonly text: string; readonly weight: number }
  | {
      readonly kind: 'embedding';
      readonly name: string;
      readonly embedding: Embedding;
      readonly weight: number;
    };

export interface SearchRequest {
  readonly collectionId: CollectionId;
  readonly generation: GenerationRecord;
  readonly visionSpace: VisionSpaceRecord;
  /** The model that reads the texts; null: none was asked for and the collection has none. */
  readonly textModel: TextModelRecord | null;
  readonly terms: readonly Term[];
  readonly filter: ImageFilter;
  readonly exact: boolean;
  /** Left out of the ranking. */
  readonly without: ImageId | null;
  readonly first: number;
  readonly after: string | null;
  /** What uploads and images took to become embeddings, in milliseconds. */
  readonly encodedMs: number;
  readonly signal: AbortSignal;
  readonly loadImages: (ids: readonly ImageId[]) => Promise<readonly (ImageRecord | null)[]>;
}

export interface SearchResult {
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: ImageRecord;
    readonly rank: number;
    readonly score: number;
  }[];
  readonly hasNextPage: boolean;
  /** Of the page, also where the images at its ends were deleted meanwhile; null: an empty page. */
  readonly startCursor: string | null;
  readonly endCursor: string | null;
  readonly path: SearchPath;
  readonly generation: GenerationRecord;
  readonly textModel: TextModelRecord | null;
  readonly tookMs: SearchTimes;
}

export interface SearchTimes {
  readonly encode: number;
  readonly index: number;
  readonly hydrate: number;
  readonly total: number;
}

export interface SearchServiceOptions {
  readonly database: Database;
  readonly indexes: CollectionIndexes;
  readonly textModels: Pick<TextModels, 'get'>;
  /** The same in all processes of a data folder. Default: this process's own. */
  readonly cursorSecret?: Uint8Array;
  /** Told of every search, for the metrics. */
  readonly onSearch?: (times: SearchTimes, path: SearchPath) => void;
}

interface Found {
  readonly page: RankingPage;
  readonly images: readonly (RankedImage & { readonly image: ImageRecord })[];
}

/** Deleted images that a page is filled up for; a larger deletion leaves gaps until the index has it. */
const MOST_GONE = 1000;

/** Terms → one embedding → ranking → rows. */
export class SearchService {
  readonly #options: SearchServiceOptions;
  readonly #rankings: Rankings;

  constructor(options: SearchServiceOptions) {
    this.#options = options;
    this.#rankings = new Rankings(options.cursorSecret);
  }

  /** Throws `MODEL_MISMATCH`, `EMPTY_TEXT`, `CURSOR_EXPIRED`, `BAD_USER_INPUT`, `INDEX_UNAVAILABLE`, `ABORTED`. */
  async search(request: SearchRequest): Promise<SearchResult> {
    const startedAt = performance.now();
    const usesText = request.terms.some(({ kind }) => kind === 'text');
    const texts = usesText ? await this.#textsOf(request) : null;
    const query = await encode(request.terms, texts);
    const encodedAt = performance.now();
    throwIfAborted(request.signal);
    const found = await this.#find(request, query);
    const { generation, textModel, encodedMs } = request;
    const times = {
      encode: encodedMs + encodedAt - startedAt,
      index: found.indexMs,
      hydrate: found.hydrateMs,
      total: encodedMs + performance.now() - startedAt,
    };
    this.#options.onSearch?.(times, found.page.path);
    const identity = identityOf(request);
    const cursorOf = (ranked: RankedImage): string =>
      this.#rankings.cursorOf(identity, placeOf(request), ranked);
    const [first, last] = [found.page.images[0], found.page.images.at(-1)];
    return {
      startCursor: first ? cursorOf(first) : null,
      endCursor: last ? cursorOf(last) : null,
      edges: found.images.map((ranked) => ({
        cursor: cursorOf(ranked),
        node: ranked.image,
        ...{ rank: ranked.rank, score: ranked.score },
      })),
      hasNextPage: found.page.hasMore,
      path: found.page.path,
      ...{ generation, textModel: usesText ? textModel : null, tookMs: times },
    };
  }

  async #textsOf({ textModel, visionSpace }: SearchRequest): Promise<TextEmbeddings> {
    if (textModel === null) {
      const message = `No text model of the vision space ${visionSpace.name} is known: search by an image, or train one.`;
      throw new PlatformError('MODEL_MISMATCH', message);
    }
    if (textModel.visionSpaceId !== visionSpace.id) {
      const message = `The text model ${textModel.name}@${textModel.version} was trained for another vision space than the collection's (${visionSpace.name}).`;
      throw new PlatformError('MODEL_MISMATCH', message);
    }
    return this.#options.textModels.get(textModel);
  }

  async #find(
    request: SearchRequest,
    query: Embedding,
  ): Promise<Found & { indexMs: number; hydrateMs: number }> {
    const { first, after } = request;
    let indexMs = 0;
    const startedAt = performance.now();
    const gone = new Set<bigint>();
    const place = { query: identityOf(request), generationId: placeOf(request) };
    for (;;) {
      const page = await this.#rankings.page({ ...place, first, after, gone }, async (k) => {
        const before = performance.now();
        const found = await this.#nearest(request, query, k);
        indexMs += performance.now() - before;
        return found;
      });
      const rows = await request.loadImages(page.images.map(({ id }) => asImageId(id)));
      const images = page.images.flatMap((ranked, i) => {
        const image = rows[i];
        return image ? [{ ...ranked, image }] : [];
      });
      if (images.length === page.images.length || gone.size > MOST_GONE) {
        return { page, images, indexMs, hydrateMs: performance.now() - startedAt - indexMs };
      }
      // The store is ahead of the index: others take the place of what was deleted.
      page.images.forEach(({ id }, i) => rows[i] ?? gone.add(id));
    }
  }

  async #nearest(
    { collectionId, generation, filter, exact, without, signal }: SearchRequest,
    query: Embedding,
    k: number,
  ): Promise<Neighbors> {
    const { database } = this.#options;
    const key = { collectionId, visionSpaceId: generation.visionSpaceId };
    const allow = isEmptyFilter(filter)
      ? {}
      : { allow: await queryImageIds(database.pool, { collectionId, filter }) };
    const wanted = without === null ? k : Math.min(k + 1, MAX_K);
    const found = await this.#ask(key, query, { k: wanted, ...allow, exact, signal });
    return without === null ? found : leaveOut(found, without, k);
  }

  /** An index that was lost, or is giving way to another engine, is opened anew once. */
  async #ask(key: IndexKey, query: Embedding, search: IndexSearch): Promise<Neighbors> {
    const { indexes } = this.#options;
    const index = await indexes.get(key);
    try {
      return await index.search(query, search);
    } catch (error) {
      const isLost = error instanceof PlatformError && error.code === 'INDEX_UNAVAILABLE';
      if (!isLost) throw error;
      await indexes.discard(index);
      return (await indexes.get(key)).search(query, search);
    }
  }
}

/** The normalized weighted sum. */
async function encode(terms: readonly Term[], texts: TextEmbeddings | null): Promise<Embedding> {
  const embeddings = await Promise.all(
    terms.map(async (term) => {
      if (term.kind === 'embedding') return term.embedding;
      if (texts === null) throw new Error('Texts without a text model.');
      return texts.encode(term.text);
    }),
  );
  const [only] = embeddings;
  if (only && embeddings.length === 1 && (terms[0]?.weight ?? 0) > 0) return only;
  const sum = new Float32Array(only?.length ?? 0);
  embeddings.forEach((embedding, term) => {
    const weight = terms[term]?.weight ?? 0;
    embedding.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + weight * value));
  });
  if (sum.some((value) => value !== 0)) return normalize(sum);
  const message = 'The terms cancel each other out: give them other weights.';
  throw new PlatformError('BAD_USER_INPUT', message);
}

/** The best `k` without that one. */
function leaveOut({ ids, scores, path }: Neighbors, id: ImageId, k: number): Neighbors {
  const at = ids.indexOf(id);
  return {
    ids: ids.filter((_, i) => i !== at).subarray(0, k),
    scores: scores.filter((_, i) => i !== at).subarray(0, k),
    path,
  };
}

/** Where a ranking holds: in a generation, and where texts were read, with its text model. A cursor of another place has expired. */
function placeOf({ generation, textModel, terms }: SearchRequest): string {
  const usesText = terms.some(({ kind }) => kind === 'text');
  return usesText ? `${generation.id} ${textModel?.fingerprint.slice(0, 16) ?? ''}` : generation.id;
}

/** Everything else that decides a ranking. */
function identityOf(request: SearchRequest): unknown {
  const { collectionId, terms, filter, exact, without } = request;
  return {
    ...{ collectionId, filter, exact, without },
    terms: terms.map((term) => [term.kind === 'text' ? term.text : term.name, term.weight]),
  };
}
