import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../../platform/errors.ts';

const PATIENCE_MS = 120_000;
const RETRY_MS = 250;
const REQUEST_MS = 20_000;

const answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() }))
    .default([]),
});

/** Codes of what passes: the server or its database is away. */
const PASSING = new Set(['INTERNAL_SERVER_ERROR', 'INDEX_UNAVAILABLE', 'ENCODER_UNAVAILABLE']);

export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A client that keeps asking until it has an answer, with the same idempotency key each time. */
export class GraphqlClient {
  readonly #url: string;
  readonly #key: string;
  /** Requests that got no answer. */
  failures = 0;

  constructor(url: string, key: string) {
    this.#url = `${url}/graphql`;
    this.#key = key;
  }

  /** Gives the mutation's payload, with `userErrors`. */
  async mutate<T>(
    field: string,
    input: Readonly<Record<string, unknown>>,
    { selection, upload }: { readonly selection: string; readonly upload?: Upload },
  ): Promise<T & { readonly userErrors: readonly { readonly code: string }[] }> {
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
    const query = `mutation ($input: ${type}) { ${field}(input: $input) { ${selection} userErrors { code message } } }`;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const data = await this.#post({ query, variables: { input } }, upload);
        return data[field] as T & { readonly userErrors: readonly { readonly code: string }[] };
      } catch (error) {
        if (error instanceof RefusedError || performance.now() > deadline) throw error;
        this.failures++;
        await pause(RETRY_MS);
      }
    }
  }

  async #post(body: object, upload?: Upload): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#key}`,
        'apollo-require-preflight': 'true',
        ...(upload ? {} : { 'content-type': 'application/json' }),
      },
      body: upload ? multipart(body, upload) : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = await response.text();
    const { data, errors } = answer.parse(JSON.parse(text));
    const [error] = errors;
    if (error === undefined && data) return data;
    if (error && !PASSING.has(error.extensions?.code ?? '')) throw new RefusedError(text);
    throw new Error(messageOf(error?.message ?? text));
  }
}

/** An answer that will stay the same. */
class RefusedError extends Error {}

function multipart(body: object, { name, bytes }: Upload): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify(body));
  form.set('map', JSON.stringify({ file: ['variables.input.files.0'] }));
  form.set('file', new Blob([Uint8Array.from(bytes)]), name);
  return form;
}
