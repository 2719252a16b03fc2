import { createHmac, timingSafeEqual } from 'node:crypto';
import { PlatformError } from '../../platform/errors.ts';

export interface UrlSignerOptions {
  /** 32 bytes or more, the same in all processes that serve the links. */
  readonly secret: Uint8Array;
  /** How long a link is good, at least; up to five minutes more. */
  readonly ttlSeconds?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface MediaTarget {
  /** Without the query, encoded as it will be in the address: `/thumbnails/<id>`. */
  readonly path: string;
  readonly size?: string | undefined;
  /**
   * Changes with the content, such as the beginning of its hash. An image keeps its id when its file is replaced, and
   * browsers keep what a link gave them; with it the new content has a new link.
   */
  readonly version?: string | undefined;
}

/** A request's path and query as they came. */
export interface MediaRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
}

export type Verdict =
  | { readonly state: 'VALID'; readonly secondsLeft: number }
  | { readonly state: 'EXPIRED' | 'INVALID' };

const TTL_SECONDS = 3_600;

/** Ends of links fall on these, so that links made shortly after each other are the same and browsers reuse files. */
const STEP_SECONDS = 300;

const MIN_SECRET_BYTES = 32;

/** Part of what is signed, so that the secret can sign other things as well. */
const PURPOSE = 'sharelock-media-1';

/** Signs links to files, so that a page can show pictures without the key in every request. */
export class UrlSigner {
  readonly #secret: Uint8Array;
  readonly #ttlSeconds: number;
  readonly #now: () => number;

  constructor({ secret, ttlSeconds = TTL_SECONDS, now = Date.now }: UrlSignerOptions) {
    if (secret.byteLength < MIN_SECRET_BYTES || !(ttlSeconds > 0)) {
      throw new PlatformError(
        'INVALID_CONFIG',
        'Links need a secret of 32 bytes and a time above 0.',
      );
    }
    this.#secret = secret;
    this.#ttlSeconds = ttlSeconds;
    this.#now = now;
  }

  /** The path with its signature: `/thumbnails/<id>?size=MEDIUM&v=…&exp=…&sig=…`. */
  sign({ path, size, version }: MediaTarget): string {
    const end = this.#now() / 1_000 + this.#ttlSeconds;
    const exp = String(Math.ceil(end / STEP_SECONDS) * STEP_SECONDS);
    const sig = this.#signature([path, size, version, exp]);
    const query = new URLSearchParams({
      ...(size === undefined ? {} : { size }),
      ...(version === undefined ? {} : { v: version }),
      ...{ exp, sig },
    });
    return `${path}?${query.toString()}`;
  }

  /** Whether `sign` made this link, and for how long it is still good. */
  verify({ path, query: { size, v, exp, sig } }: MediaRequest): Verdict {
    if (typeof exp !== 'string' || typeof sig !== 'string') return { state: 'INVALID' };
    if (!isOptionalText(size) || !isOptionalText(v)) return { state: 'INVALID' };
    if (!areEqual(sig, this.#signature([path, size, v, exp]))) return { state: 'INVALID' };
    const secondsLeft = Math.floor(Number(exp) - this.#now() / 1_000);
    return secondsLeft > 0 ? { state: 'VALID', secondsLeft } : { state: 'EXPIRED' };
  }

  #signature(parts: readonly (string | undefined)[]): string {
    // As JSON, so that no part can run into the next.
    const signed = JSON.stringify([PURPOSE, ...parts.map((part) => part ?? null)]);
    return createHmac('sha256', this.#secret).update(signed).digest('base64url');
  }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** In a time that doesn't tell where they differ. */
function areEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
