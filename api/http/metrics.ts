import { Router, type Request, type RequestHandler } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** How one collection's index stands. */
export interface IndexReading {
  readonly collection: string;
  /** Its name: two generations of a collection have two indexes. */
  readonly visionSpace: string;
  readonly engine: string;
  /** Vectors in the index. */
  readonly indexed: number;
  /** Changes it has still to take in. */
  readonly lag: number;
  /** Null before anything was measured. */
  readonly recallAt10: number | null;
  /** Memory of its vectors. */
  readonly bytes: number;
}

export interface MetricsOptions {
  /** Asked at each scrape. */
  readonly readIndexes: () => readonly IndexReading[] | Promise<readonly IndexReading[]>;
  /** Whether to add the process's own: memory, CPU, event loop, garbage collection. */
  readonly withProcess?: boolean;
}

export type SearchStage = 'encode' | 'index' | 'hydrate' | 'total';

export interface OperationObservation {
  readonly type: 'query' | 'mutation' | 'subscription';
  /** Of the schema, never a name from the request: those would make a series each. */
  readonly rootField: string;
  readonly outcome: 'ok' | 'error';
  readonly seconds: number;
}

/** From half a millisecond, which a cached answer takes, to the time-out. */
const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30,
];
/** From one object to more than a key's whole allowance. */
const COST_BUCKETS = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000];

/** A series each; more would burden who stores them. The largest indexes are shown. */
const MAX_COLLECTIONS = 100;

/** What the process measures of itself, one registry a process; made in `main.ts` and passed to who measures. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'route' | 'method' | 'status'>;
  readonly #operations: Histogram<'type' | 'field' | 'outcome'>;
  readonly #stages: Histogram<'stage'>;
  readonly #cost: Histogram;
  readonly #refusals: Counter<'code'>;
  readonly #indexes: ReturnType<typeof createIndexGauges>;
  readonly #readIndexes: MetricsOptions['readIndexes'];

  constructor({ readIndexes, withProcess = true }: MetricsOptions) {
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: 'sharelock_http_request_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['route', 'method', 'status'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.#operations = new Histogram({
      name: 'sharelock_graphql_operation_seconds',
      help: 'Time an operation took to execute, by its root field ("several" for more than one).',
      labelNames: ['type', 'field', 'outcome'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.#stages = new Histogram({
      name: 'sharelock_search_stage_seconds',
      help: 'Time of the parts of a search.',
      labelNames: ['stage'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.#cost = new Histogram({
      name: 'sharelock_graphql_cost',
      help: 'Estimated cost of operations; one is about 0.1 ms of work.',
      buckets: COST_BUCKETS,
      registers,
    });
    this.#refusals = new Counter({
      name: 'sharelock_graphql_errors_total',
      help: 'Errors that were answered, by code.',
      labelNames: ['code'],
      registers,
    });
    this.#indexes = createIndexGauges(registers);
    this.#readIndexes = readIndexes;
    if (withProcess) collectDefaultMetrics({ register: this.#registry });
  }

  observeRequest(labels: { route: string; method: string; status: number }, seconds: number): void {
    const { route, method, status } = labels;
    this.#requests.observe({ route, method: knownMethod(method), status }, seconds);
  }

  observeOperation({ type, rootField, outcome, seconds }: OperationObservation): void {
    this.#operations.observe({ type, field: rootField, outcome }, seconds);
  }

  observeSearchStage(stage: SearchStage, seconds: number): void {
    this.#stages.observe({ stage }, seconds);
  }

  observeCost(cost: number): void {
    this.#cost.observe(cost);
  }

  /** `code` is one of ours or Apollo's; anything else counts as "other". */
  countError(code: unknown): void {
    const isCode = typeof code === 'string' && /^[A-Z_]{3,40}$/.test(code);
    this.#refusals.inc({ code: isCode ? code : 'other' });
  }

  /** Prometheus' text format. */
  async read(): Promise<{ readonly contentType: string; readonly text: string }> {
    // Before the registry collects: it asks all gauges at once, and one reading must fill them all.
    this.#setIndexes(await this.#readIndexes());
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #setIndexes(readings: readonly IndexReading[]): void {
    const { vectors, lag, recallAt10, bytes } = this.#indexes;
    for (const gauge of [vectors, lag, recallAt10, bytes]) gauge.reset();
    for (const reading of largest(readings)) {
      const { collection, visionSpace, engine } = reading;
      const labels = { collection, vision_space: visionSpace, engine };
      vectors.set(labels, reading.indexed);
      lag.set(labels, reading.lag);
      bytes.set(labels, reading.bytes);
      if (reading.recallAt10 !== null) recallAt10.set(labels, reading.recallAt10);
    }
  }
}

function createIndexGauges(registers: Registry[]) {
  const labelNames = ['collection', 'vision_space', 'engine'] as const;
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sharelock_index_${name}`, help, labelNames, registers });
  return {
    vectors: gauge('vectors', 'Vectors in an index.'),
    lag: gauge('lag_changes', 'Changes that an index has still to take in.'),
    recallAt10: gauge('recall_at_10', 'Share of the true 10 nearest that graph searches returned.'),
    bytes: gauge('bytes', "Memory of an index's vectors."),
  };
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other';
}

function largest(readings: readonly IndexReading[]): readonly IndexReading[] {
  return [...readings].sort((a, b) => b.indexed - a.indexed).slice(0, MAX_COLLECTIONS);
}

/** Measures every request that passes; use it before all routes. */
export function createRequestMetrics(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const route = routeOf(request.path); // now: routers change the path while they work
    response.once('close', () => {
      const labels = { route, method: request.method, status: response.statusCode };
      metrics.observeRequest(labels, (performance.now() - started) / 1_000);
    });
    next();
  };
}

/** Served routes, by their first part; everything else is one series, so that callers can't make new ones. */
const ROUTES: ReadonlyMap<string, string> = new Map([
  ['', '/'],
  ['assets', '/assets/:file'],
  ['graphql', '/graphql'],
  ['healthz', '/healthz'],
  ['images', '/images/:id'],
  ['metrics', '/metrics'],
  ['readyz', '/readyz'],
  ['schema.graphql', '/schema.graphql'],
  ['thumbnails', '/thumbnails/:id'],
]);

function routeOf(path: string): string {
  return ROUTES.get(path.split('/', 2)[1] ?? '') ?? 'other';
}

export interface MetricsRouterOptions {
  readonly metrics: Metrics;
  /** Who may read: usually the machine itself (`isLocal`) or an ADMIN key. */
  readonly isAllowed: (request: Request) => boolean | Promise<boolean>;
}

/** `GET /metrics`. */
export function createMetricsRouter({ metrics, isAllowed }: MetricsRouterOptions): Router {
  const router = Router();
  router.get('/metrics', async (request, response) => {
    response.set('Cache-Control', 'no-store');
    if (!(await isAllowed(request))) {
      const message = 'Ask from the machine itself, or with the key of an ADMIN.';
      response.status(403).json({ code: 'FORBIDDEN', message });
      return;
    }
    const { contentType, text } = await metrics.read();
    response.set('Content-Type', contentType).send(text);
  });
  return router;
}

/** Headers that proxies add: behind one every request comes from the machine it runs on. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** Whether a request comes from this machine, and not through a proxy on it. */
export function isLocal({ socket, headers }: Pick<Request, 'socket' | 'headers'>): boolean {
  const { remoteAddress = '' } = socket;
  const address = remoteAddress.replace(/^::ffff:/, '');
  const isLoopback = address === '::1' || address.startsWith('127.');
  return isLoopback && !FORWARDING_HEADERS.some((name) => name in headers);
}
