import type { ImageInput } from '../../models/manifest.ts';
import { PlatformError, throwIfAborted } from '../../platform/errors.ts';
import { groupBy } from '../../platform/group-by.ts';
import { findEmbedded, hexOf } from '../../store/embeddings.ts';
import {
  describeBytes,
  findFileStates,
  findImagesBySha256,
  type BytesDescription,
  type FileOfImage,
} from '../../store/image-files.ts';
import type { FileState } from '../../store/images.ts';
import type { CollectionId, SourceId, VisionSpaceId } from '../../store/ids.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { Target } from '../targets.ts';
import type { Decoder, FileDigest } from './decode.ts';
import { UnreadableImage } from './reasons.ts';
import { THUMBNAIL_SIDES, type ThumbnailStore } from './thumbnails.ts';

/** A file to be read. */
export interface FileOrder {
  readonly itemId: bigint;
  /** In the collection. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
  /** Null: uploaded. */
  readonly sourceId: SourceId | null;
}

export interface ReadFile extends FileOrder, FileDigest {
  /** SHA-256 in hex. */
  readonly hash: string;
}

/** What is known of a batch of files before their embeddings. */
export interface ReadBatch {
  readonly files: readonly ReadFile[];
  readonly failures: ReadonlyMap<bigint, UnreadableImage>;
  /** By hash. */
  readonly descriptions: ReadonlyMap<string, BytesDescription>;
  /** Hashes that were decoded for it. */
  readonly decoded: ReadonlySet<string>;
  /** What is still to be embedded: of each vision space by hash. */
  readonly pixels: ReadonlyMap<VisionSpaceId, ReadonlyMap<string, Uint8Array>>;
  /** The hashes in it. */
  readonly toEmbed: ReadonlySet<string>;
  /** By path. */
  readonly states: ReadonlyMap<string, FileState>;
  /** Images of the collection by hash: their files may have been moved. */
  readonly sameBytes: ReadonlyMap<string, readonly FileOfImage[]>;
}

export interface ReadServices {
  readonly db: Queryable;
  readonly decoder: Pick<Decoder, 'hash' | 'decode'>;
  readonly thumbnails: ThumbnailStore;
  readonly collectionId: CollectionId;
  /** What images are embedded for. */
  readonly targets: readonly Target[];
  /** Whether MEDIUM thumbnails are made along the way. */
  readonly makesThumbnails: boolean;
}

/**
 * Hashes files, and decodes those whose bytes aren't known yet: the same picture under another name or in another
 * collection costs a hash. A file that can't be read has its reason instead.
 */
export async function readBatch(
  orders: readonly FileOrder[],
  services: ReadServices,
  signal: AbortSignal,
): Promise<ReadBatch> {
  const failures = new Map<bigint, UnreadableImage>();
  const files = await hashAll(orders, services, failures, signal);
  throwIfAborted(signal);
  const { db, collectionId, targets } = services;
  const hashes = files.map(({ sha256 }) => sha256);
  const [embedded, known, states, same] = await Promise.all([
    findEmbeddedIn(db, targets, hashes),
    describeBytes(db, hashes),
    findFileStates(
      db,
      collectionId,
      files.map(({ path }) => path),
    ),
    findImagesBySha256(db, collectionId, hashes),
  ]);
  for (const { key, vision } of targets) {
    const isKnown = files.every(({ hash }) => embedded.get(key.visionSpaceId)?.has(hash));
    if (!isKnown) vision.encoder().catch(() => undefined); // loads meanwhile; who needs it hears of it
  }
  const decoding = new BatchDecoder(services, embedded, new Map(known), failures);
  await decoding.decodeAll(files, signal);
  const { descriptions, decoded, pixels } = decoding;
  return {
    ...{ descriptions, decoded, pixels, states, failures },
    toEmbed: new Set([...pixels.values()].flatMap((ofSpace) => [...ofSpace.keys()])),
    files: files.filter(({ itemId }) => !failures.has(itemId)),
    sameBytes: groupBy(same, ({ sha256 }) => hexOf(sha256)),
  };
}

/** Of each vision space: the hashes that have an embedding. */
type Embedded = ReadonlyMap<VisionSpaceId, ReadonlySet<string>>;

async function findEmbeddedIn(
  db: Queryable,
  targets: readonly Target[],
  hashes: readonly Uint8Array[],
): Promise<Embedded> {
  const found = targets.map(
    async ({ key: { visionSpaceId } }) =>
      [visionSpaceId, await findEmbedded(db, visionSpaceId, hashes)] as const,
  );
  return new Map(await Promise.all(found));
}

async function hashAll(
  orders: readonly FileOrder[],
  { decoder }: ReadServices,
  failures: Map<bigint, UnreadableImage>,
  signal: AbortSignal,
): Promise<ReadFile[]> {
  const read = await Promise.all(
    orders.map(async (order) => {
      try {
        const digest = await decoder.hash(order.file, signal);
        return { ...order, ...digest, hash: hexOf(digest.sha256) };
      } catch (error) {
        failures.set(order.itemId, asUnreadable(error));
        return null;
      }
    }),
  );
  return read.filter((file) => file !== null);
}

class BatchDecoder {
  readonly descriptions: Map<string, BytesDescription>;
  readonly decoded = new Set<string>();
  readonly pixels = new Map<VisionSpaceId, Map<string, Uint8Array>>();
  readonly #services: ReadServices;
  readonly #embedded: Embedded;
  readonly #failures: Map<bigint, UnreadableImage>;

  constructor(
    services: ReadServices,
    embedded: Embedded,
    known: Map<string, BytesDescription>,
    failures: Map<bigint, UnreadableImage>,
  ) {
    this.#services = services;
    this.#embedded = embedded;
    this.descriptions = known;
    this.#failures = failures;
  }

  async decodeAll(files: readonly ReadFile[], signal: AbortSignal): Promise<void> {
    const unknown = files.filter(
      ({ hash }) => this.#lacking(hash).length > 0 || !this.descriptions.has(hash),
    );
    const copies = [...groupBy(unknown, ({ hash }) => hash).values()];
    await Promise.all(copies.map((same) => this.#decodeOneOf(same, signal)));
  }

  /** The first copy that can be read speaks for all; what is wrong with the bytes is wrong with each. */
  async #decodeOneOf(copies: readonly ReadFile[], signal: AbortSignal): Promise<void> {
    for (const [i, copy] of copies.entries()) {
      try {
        await this.#decode(copy, signal);
        return;
      } catch (error) {
        const reason = asUnreadable(error);
        const isOfThisCopy = ['VANISHED', 'CHANGED_WHILE_READ', 'UNREADABLE'].includes(
          reason.reason,
        );
        const failed = isOfThisCopy ? [copy] : copies.slice(i);
        for (const { itemId } of failed) this.#failures.set(itemId, reason);
        if (!isOfThisCopy) return;
      }
    }
  }

  /** What the bytes have no embedding for. */
  #lacking(hash: string): readonly Target[] {
    const { targets } = this.#services;
    return targets.filter(({ key }) => !this.#embedded.get(key.visionSpaceId)?.has(hash));
  }

  /** Once for each kind of input that its vision spaces want: most want the same. */
  async #decode(file: ReadFile, signal: AbortSignal): Promise<void> {
    const inputs = groupBy(this.#lacking(file.hash), ({ vision }) => JSON.stringify(vision.input));
    if (inputs.size === 0) await this.#decodeFor(file, [], signal);
    for (const targets of inputs.values()) await this.#decodeFor(file, targets, signal);
  }

  async #decodeFor(
    { file, hash, sha256 }: ReadFile,
    targets: readonly Target[],
    signal: AbortSignal,
  ): Promise<void> {
    const { decoder, thumbnails, makesThumbnails } = this.#services;
    const input: ImageInput | null = targets[0]?.vision.input ?? null;
    const thumbnail = {
      file: thumbnails.pathOf(sha256, 'MEDIUM'),
      side: THUMBNAIL_SIDES.MEDIUM,
    };
    const isFirst = !this.decoded.has(hash);
    const task = {
      input,
      thumbnail: input === null || !isFirst || !makesThumbnails ? null : thumbnail,
      expectedSha256: hash,
    };
    const image = await decoder.decode({ path: file }, task, signal);
    const { bytes, width, height, format, takenAt, metadata, pixels } = image;
    this.descriptions.set(hash, {
      ...{ bytes, width, height, format, takenAt },
      metadata: { ...metadata },
    });
    this.decoded.add(hash);
    if (pixels !== null) for (const { key } of targets) this.#keep(key.visionSpaceId, hash, pixels);
  }

  #keep(visionSpaceId: VisionSpaceId, hash: string, pixels: Uint8Array): void {
    const ofSpace = this.pixels.get(visionSpaceId) ?? new Map<string, Uint8Array>();
    this.pixels.set(visionSpaceId, ofSpace.set(hash, pixels));
  }
}

function asUnreadable(error: unknown): UnreadableImage {
  if (error instanceof UnreadableImage) return error;
  if (error instanceof PlatformError && error.code === 'NOT_FOUND') {
    return new UnreadableImage('VANISHED', error.message, { cause: error });
  }
  throw error;
}
