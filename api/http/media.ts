import { basename } from 'node:path';
import type { Router } from 'express';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { locateImage } from '../../indexer/ingest/image-file.ts';
import type { Decoder } from '../../indexer/ingest/decode.ts';
import { UnreadableImage } from '../../indexer/ingest/reasons.ts';
import type { ThumbnailStore } from '../../indexer/ingest/thumbnails.ts';
import type { UploadStore } from '../../indexer/ingest/uploads.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Database } from '../../store/database.ts';
import { asImageId } from '../../store/ids.ts';
import { findImagesByIds } from '../../store/images.ts';
import { findSource } from '../../store/sources.ts';
import { MediaFileError, openMediaFile, type MediaFile } from '../media/media-file.ts';
import { createMediaRouter, type MediaImage, type ThumbnailSize } from '../media/media-router.ts';
import type { UrlSigner } from '../media/signer.ts';
import { idOf } from '../node-ids.ts';

export interface MediaOptions {
  readonly database: Database;
  readonly uploads: UploadStore;
  readonly thumbnails: ThumbnailStore;
  readonly decoder: Pick<Decoder, 'decode'>;
  readonly signer: UrlSigner;
  readonly logger: Logger;
}

/** Images and thumbnails over HTTP: originals from sources and uploads, thumbnails from the store of them. */
export function createMedia(options: MediaOptions): Router {
  const { signer, logger } = options;
  return createMediaRouter({
    ...{ signer, logger },
    findImage: (nodeId) => findMedia(options, nodeId),
    openThumbnail: (image, size) => openThumbnail(options, image, size),
  });
}

async function findMedia(
  { database, uploads }: MediaOptions,
  nodeId: string,
): Promise<MediaImage | null> {
  const id = idOf('Image', nodeId);
  const [image] = id === null ? [] : await findImagesByIds(database.pool, [asImageId(id)]);
  if (!image) return null;
  const { sourceId, sha256, format, bytes } = image;
  const source = sourceId === null ? null : await findSource(database.prisma, sourceId);
  try {
    const path = await locateImage(image, source, uploads);
    return { path, sha256, format, bytes, fileName: basename(image.path) };
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function openThumbnail(
  { thumbnails, decoder }: MediaOptions,
  { path: original, sha256 }: MediaImage,
  size: ThumbnailSize,
): Promise<MediaFile> {
  try {
    return await openMediaFile(await thumbnails.get({ sha256, original, size }, decoder), null);
  } catch (cause) {
    if (!(cause instanceof UnreadableImage)) throw cause;
    throw new MediaFileError('GONE', { cause: new Error(messageOf(cause)) });
  }
}
