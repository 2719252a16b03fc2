/** A GraphQL operation's text with the types of what goes in and comes out. */
export interface Operation<Data, Variables> {
  readonly text: string;
  /** Never set: carries the types. */
  readonly types?: (variables: Variables) => Data;
}

/** Codes of the page's own, beside the API's `extensions.code`. */
export type OwnCode = 'UNREACHABLE' | 'BAD_RESPONSE';

/** Why there is no answer. `message` is for people, `code` for programs and bug reports. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly isTemporary: boolean;
  /** How long to wait before; null where nobody said. */
  readonly retryAfterSeconds: number | null;

  constructor(code: OwnCode | (string & {}), message: string, options: ClientErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.isTemporary = options.isTemporary ?? code === 'UNREACHABLE';
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

interface ClientErrorOptions extends ErrorOptions {
  readonly isTemporary?: boolean;
  readonly retryAfterSeconds?: number | null;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface Client {
  /** The answer's data. Throws a ClientError, or what `signal` was aborted with. */
  execute<Data, Variables>(
    operation: Operation<Data, Variables>,
    variables: Variables,
    options?: RequestOptions,
  ): Promise<Data>;
  /** As `execute`, with files: each takes the place of a null in the variables (GraphQL multipart request specification). */
  upload<Data, Variables>(
    operation: Operation<Data, Variables>,
    variables: Variables,
    files: ReadonlyMap<string, File>,
    options?: RequestOptions,
  ): Promise<Data>;
}

export interface ClientOptions {
  readonly endpoint?: string;
  readonly fetch?: typeof fetch;
  /** Called when the API says that nobody is signed in (any more). */
  readonly onUnauthenticated?: () => void;
}

/** The API refuses requests that a foreign page could send without asking first; this header makes them ask. */
export const PREFLIGHT_HEADER = { 'apollo-require-preflight': 'true' };

export function createClient({
  endpoint = '/graphql',
  fetch = globalThis.fetch,
  onUnauthenticated,
}: ClientOptions = {}): Client {
  async function send<Data>(message: Message): Promise<Data> {
    try {
      return await request<Data>(fetch, endpoint, message);
    } catch (error) {
      if (error instanceof ClientError && error.code === 'UNAUTHENTICATED') onUnauthenticated?.();
      throw error;
    }
  }

  return {
    execute: (operation, variables, options) =>
      send({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: operation.text, variables }),
        signal: options?.signal ?? null,
      }),
    upload: (operation, variables, files, options) =>
      send({
        body: multipartBody({ query: operation.text, variables }, files),
        signal: options?.signal ?? null,
      }),
  };
}

interface Message {
  readonly body: string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | null;
}

async function request<Data>(
  fetch: typeof globalThis.fetch,
  endpoint: string,
  { body, headers, signal }: Message,
): Promise<Data> {
  const response = await fetch(endpoint, {
    method: 'POST',
    body,
    signal,
    credentials: 'same-origin',
    headers: { accept: 'application/json', ...PREFLIGHT_HEADER, ...headers },
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ClientError('UNREACHABLE', "The server can't be reached.", { cause: error });
  });
  return readAnswer<Data>(response);
}

async function readAnswer<Data>(response: Response): Promise<Data> {
  const answer = await readJson(response);
  const error = firstError(answer);
  if (error !== null) throw error;
  if (response.status === 401) throw new ClientError('UNAUTHENTICATED', 'Sign in first.');
  if (!isObject(answer) || !isObject(answer['data'])) {
    throw new ClientError(
      'BAD_RESPONSE',
      `The server gave an answer that is none (HTTP ${response.status}).`,
    );
  }
  // The API keeps to its schema, which the types were made from.
  return answer['data'] as Data;
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function firstError(answer: unknown): ClientError | null {
  if (!isObject(answer) || !Array.isArray(answer['errors'])) return null;
  const error: unknown = answer['errors'][0];
  if (!isObject(error)) return null;
  const extensions = isObject(error['extensions']) ? error['extensions'] : {};
  const seconds = extensions['retryAfterSeconds'];
  return new ClientError(
    typeof extensions['code'] === 'string' ? extensions['code'] : 'BAD_RESPONSE',
    typeof error['message'] === 'string' ? error['message'] : 'The server could not answer.',
    {
      isTemporary: extensions['retryable'] === true,
      retryAfterSeconds: typeof seconds === 'number' ? seconds : null,
    },
  );
}

function multipartBody(operations: unknown, files: ReadonlyMap<string, File>): FormData {
  const entries = [...files].map(([path, file], i) => ({ name: String(i), path, file }));
  const body = new FormData();
  body.set('operations', JSON.stringify(operations));
  body.set('map', JSON.stringify(Object.fromEntries(entries.map(mapEntry))));
  for (const { name, file } of entries) body.set(name, file, file.name);
  return body;
}

function mapEntry({ name, path }: { name: string; path: string }): [string, string[]] {
  return [name, [path]];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
