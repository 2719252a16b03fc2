export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: unknown;
  /** `extensions.code` of each error. */
  readonly codes: readonly unknown[];
  /** The body as it came. */
  readonly text: string;
}

export interface QueryOptions {
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Secret of an API key; null: none is sent. Default: an ADMIN's of all collections. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** By path: `variables.input.upload`. Sends the request as multipart. */
  readonly files?: Readonly<Record<string, UploadedFile>>;
  readonly signal?: AbortSignal;
}

export interface UploadedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One request to the API at `url`. */
export async function ask(url: string, document: string, options: QueryOptions): Promise<Answer> {
  const { variables = {}, key, headers = {}, files, signal } = options;
  const operation = JSON.stringify({ query: document, variables });
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      ...(key === null || key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(files ? { 'apollo-require-preflight': 'true' } : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(signal ? { signal } : {}),
    body: files ? formOf(operation, files) : operation,
  });
  return answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body = parse(text);
  const codes = (body.errors ?? []).map(({ extensions }) => extensions?.code);
  const { status, headers } = response;
  return { status, headers, data: body.data ?? null, codes, text };
}

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } }[];
}

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return {};
  }
}

/** As the GraphQL multipart request specification has it. */
function formOf(operation: string, files: Readonly<Record<string, UploadedFile>>): FormData {
  const entries = Object.entries(files);
  const form = new FormData();
  form.set('operations', operation);
  form.set('map', JSON.stringify(Object.fromEntries(entries.map(([path], i) => [`${i}`, [path]]))));
  entries.forEach(([, { name, bytes }], i) => {
    form.set(`${i}`, new Blob([Uint8Array.from(bytes)]), name);
  });
  return form;
}

/** All values at `search.edges.node.path`; lists on the way are gone through. */
export function valuesAt({ data }: Pick<Answer, 'data'>, path: string): readonly unknown[] {
  let values: readonly unknown[] = [data];
  for (const name of path.split('.')) {
    values = values.flatMap((value) => {
      const found = isRecord(value) ? value[name] : undefined;
      return Array.isArray(found) ? (found as unknown[]) : [found];
    });
  }
  return values;
}

/** The text at a path. */
export function textAt(answer: Answer, path: string): string {
  const [value] = valuesAt(answer, path);
  if (typeof value === 'string') return value;
  throw new Error(`No text at ${path}: ${answer.text.slice(0, 2000)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
