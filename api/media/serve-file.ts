import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { systemErrorCode } from '../../platform/errors.ts';
import type { MediaFile } from './media-file.ts';

export interface ServedFile {
  readonly file: MediaFile;
  /** `image/jpeg`. */
  readonly contentType: string;
  /** Strong: the same tag means the same bytes. Without quotes. */
  readonly tag: string;
  /** What a browser calls it when it is saved; may be any text. */
  readonly fileName: string;
  /** How long the answer may be kept. */
  readonly maxAgeSeconds: number;
}

/**
 * Answers GET and HEAD with a file, whole or one range of it, and closes it in any case. (Express' own `sendFile` takes a
 * name and opens it again: what it sends need not be what was checked.)
 */
export async function serveFile(
  request: Request,
  response: Response,
  served: ServedFile,
): Promise<void> {
  const { file } = served;
  try {
    setHeaders(response, served);
    if (request.fresh) {
      response.status(304).end();
      return;
    }
    await sendPart(request, response, served);
  } finally {
    await file.close();
  }
}

async function sendPart(request: Request, response: Response, served: ServedFile): Promise<void> {
  const { file, contentType, tag } = served;
  const part = partOf(request, file.bytes, tag);
  if (part === 'UNSATISFIABLE') {
    response.status(416).set('Content-Range', `bytes */${file.bytes}`).end();
    return;
  }
  const { start, end } = part ?? { start: 0, end: file.bytes - 1 };
  if (part !== null) {
    response.status(206).set('Content-Range', `bytes ${start}-${end}/${file.bytes}`);
  }
  response.set({ 'Content-Type': contentType, 'Content-Length': String(end + 1 - start) });
  if (request.method === 'HEAD') response.end();
  else await send(file.read(start, end), response);
}

/** A caller that takes nothing for so long is given up: each answer holds a file open. */
const IDLE_MS = 60_000;

/** A caller that goes away ends the reading; that is no error. */
async function send(content: AsyncIterable<Uint8Array>, response: Response): Promise<void> {
  response.setTimeout(IDLE_MS, () => response.destroy());
  try {
    await pipeline(Readable.from(content, { objectMode: false }), response);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET' && code !== 'EPIPE') {
      throw error;
    }
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that was asked for. Null: the whole, also for several ranges and for what isn't understood, as the
 * standard allows (RFC 9110, 14.2).
 */
function partOf(request: Request, bytes: number, tag: string): Part | 'UNSATISFIABLE' | null {
  if (request.method !== 'GET' || !isRangeFresh(request, tag)) return null;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) return 'UNSATISFIABLE';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return null;
  const [first] = ranges;
  return ranges.length === 1 && first !== undefined ? first : null;
}

/** `If-Range`: a part only of what the caller has the rest of. We give no dates, so a date never matches. */
function isRangeFresh(request: Request, tag: string): boolean {
  const condition = request.get('If-Range');
  return condition === undefined || condition === `"${tag}"`;
}

function setHeaders(response: Response, { tag, fileName, maxAgeSeconds }: ServedFile): void {
  response.set({
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${maxAgeSeconds}, immutable`,
    'Content-Disposition': contentDisposition(fileName),
    // An image needs nothing; what pretends to be one gets nothing.
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    ETag: `"${tag}"`,
  });
}

/** Any name, safely: plain ASCII for old programs, and all of it as RFC 5987 says. */
export function contentDisposition(fileName: string): string {
  // Through UTF-8, because half a surrogate pair can't be encoded.
  const name = Buffer.from(fileName.replace(/[\p{Cc}\p{Cf}/\\]/gu, '_').slice(-200)).toString();
  const plain = name.replace(/[^\x20-\x7e]|["%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
