import { Router, type Request, type Response } from 'express';
import { PlatformError, type ErrorCode } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { MediaFileError, openMediaFile, type MediaFile } from './media-file.ts';
import { serveFile } from './serve-file.ts';
import type { UrlSigner } from './signer.ts';

export type MediaFormat = 'JPEG' | 'PNG' | 'WEBP' | 'GIF' | 'AVIF' | 'TIFF' | 'HEIF';
export type ThumbnailSize = 'SMALL' | 'MEDIUM' | 'LARGE';

/** What serving needs to know of an image. */
export interface MediaImage {
  /** Of the file, absolute. */
  readonly path: string;
  /** 32 bytes, of the file when it was indexed. */
  readonly sha256: Uint8Array;
  /** What the bytes are, not what the name says. */
  readonly format: MediaFormat;
  /** Length when it was indexed. */
  readonly bytes: number;
  readonly fileName: string;
}

export interface MediaRouterOptions<Image extends MediaImage> {
  readonly signer: Pick<UrlSigner, 'verify'>;
  /** The image of the id in a link; null when there is none. */
  readonly findImage: (id: string) => Promise<Image | null>;
  /** Default: the file at its path, if it is still the one. Throws `MediaFileError` where not. */
  readonly openOriginal?: (image: Image) => Promise<MediaFile>;
  /** A WebP of this size. Throws `MediaFileError`, or `PlatformError` when there can't be one. */
  readonly openThumbnail: (image: Image, size: ThumbnailSize) => Promise<MediaFile>;
  readonly logger: Pick<Logger, 'debug' | 'error'>;
}

/** `GET` and `HEAD` of `/images/:id` and `/thumbnails/:id`: the signature in the link is the permission. */
export function createMediaRouter<Image extends MediaImage>(
  options: MediaRouterOptions<Image>,
): Router {
  const { openOriginal = ({ path, bytes }: Image) => openMediaFile(path, bytes), openThumbnail } =
    options;
  const router = Router();
  router.get('/images/:id', (request, response) =>
    answer(request, response, options, async (image) => ({
      file: await openOriginal(image),
      contentType: CONTENT_TYPES[image.format],
      tag: hex(image.sha256),
      fileName: image.fileName,
    })),
  );
  router.get('/thumbnails/:id', (request, response) =>
    answer(request, response, options, async (image) => {
      const size = sizeOf(request);
      return {
        file: await openThumbnail(image, size),
        contentType: CONTENT_TYPES.WEBP,
        tag: `${hex(image.sha256)}-${size}`,
        fileName: `${withoutExtension(image.fileName)}.webp`,
      };
    }),
  );
  return router;
}

const CONTENT_TYPES: Readonly<Record<MediaFormat, string>> = {
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  WEBP: 'image/webp',
  GIF: 'image/gif',
  AVIF: 'image/avif',
  TIFF: 'image/tiff',
  HEIF: 'image/heif',
};

const SIZES: readonly ThumbnailSize[] = ['SMALL', 'MEDIUM', 'LARGE'];

interface Content {
  readonly file: MediaFile;
  readonly contentType: string;
  readonly tag: string;
  readonly fileName: string;
}

async function answer<Image extends MediaImage>(
  request: Request,
  response: Response,
  { signer, findImage, logger }: MediaRouterOptions<Image>,
  open: (image: Image) => Promise<Content>,
): Promise<void> {
  try {
    const maxAgeSeconds = checkLink(request, signer);
    const image = await findImage(idOf(request));
    if (image === null) throw new PlatformError('NOT_FOUND', 'There is no such image.');
    await serveFile(request, response, { ...(await open(image)), maxAgeSeconds });
  } catch (error) {
    refuse(response, error, logger);
  }
}

/** How many seconds the link is still good. */
function checkLink(request: Request, signer: Pick<UrlSigner, 'verify'>): number {
  const path = request.baseUrl + request.path;
  const verdict = signer.verify({ path, query: request.query });
  if (verdict.state === 'VALID') return verdict.secondsLeft;
  const isExpired = verdict.state === 'EXPIRED';
  throw new PlatformError(
    'FORBIDDEN',
    isExpired ? 'This link has expired; ask for a new one.' : "This link isn't one we gave out.",
  );
}

function idOf({ params }: Request): string {
  const { id } = params;
  return typeof id === 'string' ? id : '';
}

/** The signature covers it, but a link may have been signed with anything. */
function sizeOf({ query }: Request): ThumbnailSize {
  const size = SIZES.find((known) => known === (query['size'] ?? 'MEDIUM'));
  if (size !== undefined) return size;
  throw new PlatformError('BAD_USER_INPUT', `"size" must be one of ${SIZES.join(', ')}.`);
}

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode | 'FILE_GONE' | 'FILE_CHANGED' | 'INTERNAL_SERVER_ERROR';
  readonly message: string;
}

function refuse(response: Response, error: unknown, logger: Pick<Logger, 'debug' | 'error'>): void {
  const { status, code, message } = refusalOf(error);
  if (status === 500) logger.error({ err: error }, 'A file could not be served');
  else logger.debug({ code, err: error }, 'A file was not served');
  if (response.headersSent) {
    response.destroy(); // a promised length can't be kept
    return;
  }
  for (const name of CONTENT_HEADERS) response.removeHeader(name);
  response
    .status(status)
    .set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    .json({ code, message });
}

/** Of the content that didn't come. */
const CONTENT_HEADERS = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'ETag',
];

function refusalOf(error: unknown): Refusal {
  if (error instanceof MediaFileError) return fileRefusal(error);
  if (!(error instanceof PlatformError)) return INTERNAL;
  const status = error.retryable ? 503 : STATUSES.get(error.code);
  return status === undefined ? INTERNAL : { status, code: error.code, message: error.message };
}

const INTERNAL: Refusal = {
  status: 500,
  code: 'INTERNAL_SERVER_ERROR',
  message: 'Internal server error',
};

/** What else may be told; the rest is a fault of ours. */
const STATUSES: ReadonlyMap<ErrorCode, number> = new Map([
  ['BAD_USER_INPUT', 400],
  ['FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['IMAGE_UNREADABLE', 422],
]);

function fileRefusal({ reason }: MediaFileError): Refusal {
  return reason === 'GONE'
    ? { status: 404, code: 'FILE_GONE', message: "The image's file is no longer there." }
    : {
        status: 404,
        code: 'FILE_CHANGED',
        message: "The image's file has changed since it was indexed. The next ingest reads it.",
      };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function withoutExtension(fileName: string): string {
  return fileName.replace(/\.[^./\\]{1,10}$/, '');
}
