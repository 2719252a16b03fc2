import { PlatformError } from '../../platform/errors.ts';
import type { VisionModel } from '../../models/loaded-models.ts';
import type { Database } from '../../store/database.ts';
import { findEmbedded, hexOf, type NewEmbeddings } from '../../store/embeddings.ts';
import { findImagesByIds, type ImageRecord } from '../../store/images.ts';
import { asImageId, type CollectionId, type ImageId, type VisionSpaceId } from '../../store/ids.ts';
import type { ClaimedItem } from '../../store/job-items.ts';
import { listSources } from '../../store/sources.ts';
import type { Decoder } from '../ingest/decode.ts';
import { encodePixels } from '../ingest/encode.ts';
import { locateImage } from '../ingest/image-file.ts';
import { UnreadableImage } from '../ingest/reasons.ts';
import type { UploadStore } from '../ingest/uploads.ts';
import { groupBy } from '../../platform/group-by.ts';

export interface EmbedServices {
  readonly database: Database;
  readonly decoder: Pick<Decoder, 'decode'>;
  readonly uploads: UploadStore;
}

export interface EmbedOrder {
  readonly collectionId: CollectionId;
  readonly visionSpaceId: VisionSpaceId;
  readonly vision: VisionModel;
  /** Embeddings made before are made again; null: what has one keeps it. */
  readonly notBefore: Date | null;
}

/** Images of a batch with what their bytes' embeddings are, ready to be stored. */
export interface EmbeddedBatch {
  /** By item; those that were deleted are left out. */
  readonly images: ReadonlyMap<bigint, ImageRecord>;
  readonly failures: ReadonlyMap<bigint, UnreadableImage>;
  readonly embeddings: NewEmbeddings | null;
}

/** Reads and embeds the images whose bytes have no embedding in the vision space. */
export async function embedBatch(
  services: EmbedServices,
  order: EmbedOrder,
  items: readonly { readonly item: ClaimedItem; readonly imageId: ImageId }[],
  signal: AbortSignal,
): Promise<EmbeddedBatch> {
  const { pool } = services.database;
  const rows = await findImagesByIds(
    pool,
    items.map(({ imageId }) => imageId),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const images = new Map<bigint, ImageRecord>();
  for (const { item, imageId } of items) {
    const image = byId.get(asImageId(imageId));
    if (image) images.set(item.id, image);
  }
  const hashes = rows.map(({ sha256 }) => sha256);
  const known = await findEmbedded(pool, order.visionSpaceId, hashes, order.notBefore);
  const reader = new BatchReader(services, order, signal);
  const unknown = [...images].filter(([, { sha256 }]) => !known.has(hexOf(sha256)));
  await reader.readAll(unknown);
  const { pixels, failures } = reader;
  const embeddings =
    pixels.size === 0
      ? null
      : await encodePixels(pixels, order.vision, order.visionSpaceId, signal);
  return { images, failures, embeddings };
}

type Order = readonly [itemId: bigint, image: ImageRecord];

class BatchReader {
  /** By hash. */
  readonly pixels = new Map<string, Uint8Array>();
  readonly failures = new Map<bigint, UnreadableImage>();
  readonly #services: EmbedServices;
  readonly #order: EmbedOrder;
  readonly #signal: AbortSignal;

  constructor(services: EmbedServices, order: EmbedOrder, signal: AbortSignal) {
    this.#services = services;
    this.#order = order;
    this.#signal = signal;
  }

  async readAll(orders: readonly Order[]): Promise<void> {
    if (orders.length === 0) return;
    const { database } = this.#services;
    const sources = await listSources(database.prisma, this.#order.collectionId);
    const copies = groupBy(orders, ([, { sha256 }]) => hexOf(sha256));
    const read = async (image: ImageRecord): Promise<Uint8Array> => {
      const source = sources.find(({ id }) => id === image.sourceId) ?? null;
      return this.#read(image, await locateImage(image, source, this.#services.uploads));
    };
    await Promise.all([...copies].map(([hash, same]) => this.#readOneOf(hash, same, read)));
  }

  /** The first copy that can be read speaks for all. */
  async #readOneOf(
    hash: string,
    copies: readonly Order[],
    read: (image: ImageRecord) => Promise<Uint8Array>,
  ): Promise<void> {
    const reasons = new Map<bigint, UnreadableImage>();
    for (const [itemId, image] of copies) {
      try {
        this.pixels.set(hash, await read(image));
        return;
      } catch (error) {
        reasons.set(itemId, asUnreadable(error));
      }
    }
    for (const [itemId, reason] of reasons) this.failures.set(itemId, reason);
  }

  async #read(image: ImageRecord, path: string): Promise<Uint8Array> {
    const { input } = this.#order.vision;
    const task = { input, thumbnail: null, expectedSha256: hexOf(image.sha256) };
    const { pixels } = await this.#services.decoder.decode({ path }, task, this.#signal);
    if (pixels === null) throw new Error('A decoder left the pixels out.');
    return pixels;
  }
}

function asUnreadable(error: unknown): UnreadableImage {
  if (error instanceof UnreadableImage && error.reason === 'CHANGED_WHILE_READ') {
    const message = "The file isn't what it was when it was indexed: start an ingest, then retry.";
    return new UnreadableImage('CHANGED_WHILE_READ', message, { cause: error });
  }
  if (error instanceof UnreadableImage) return error;
  if (error instanceof PlatformError && error.code === 'NOT_FOUND') {
    const message = 'The file is gone: bring it back, or start an ingest that prunes, then retry.';
    return new UnreadableImage('VANISHED', message, { cause: error });
  }
  throw error;
}
