import { createServer, type Server } from 'node:http';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import express, { type Express, type Request } from 'express';
import type { GraphQLSchema } from 'graphql';
import type { Closers } from '../platform/closers.ts';
import { PlatformError, systemErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { Bundle } from '../models/bundle.ts';
import { BundleCatalog } from '../models/bundle-catalog.ts';
import { LoadedModels } from '../models/loaded-models.ts';
import { registerBundle } from '../indexer/collections.ts';
import { Decoder } from '../indexer/ingest/decode.ts';
import { ThumbnailStore } from '../indexer/ingest/thumbnails.ts';
import { UploadStore } from '../indexer/ingest/uploads.ts';
import { putBuiltIns } from '../indexer/tagging/built-in.ts';
import { snapshotFolder } from '../indexer/vector-index/snapshot-files.ts';
import { ChangeListener } from '../store/change-listener.ts';
import { Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { ApiConfig } from './config.ts';
import type { Context, Services } from './context.ts';
import { formatError, type FormatErrorOptions } from './format-error.ts';
import { createSignInRouter } from './auth/sign-in-router.ts';
import { createGraphqlRouter } from './http/graphql-router.ts';
import { createHealthRouter } from './http/health.ts';
import { healthChecks } from './http/health-checks.ts';
import { createLastResort } from './http/last-resort.ts';
import { createMedia } from './http/media.ts';
import { createMetricsPlugin } from './http/metrics-plugin.ts';
import { createMetricsRouter, createRequestMetrics, Metrics } from './http/metrics.ts';
import { createSchemaRouter } from './http/schema-router.ts';
import { createSecurityHeaders } from './http/security-headers.ts';
import { createStaticWeb } from './http/static-web.ts';
import { serveSubscriptions } from './http/subscriptions.ts';
import { isOperator } from './http/operator.ts';
import { readIndexes } from './http/index-readings.ts';
import { createCostPlugin } from './limits/cost-plugin.ts';
import { CostLimiter } from './limits/cost-limiter.ts';
import { createDocumentGuard } from './limits/document-guard.ts';
import { DOCUMENT_LIMITS } from './limits/document-limits.ts';
import { ModelLists } from './loaders/model-lists.ts';
import { loadOrCreateSecret } from './media/secret-file.ts';
import { UrlSigner } from './media/signer.ts';
import { createSchema } from './schema.ts';
import { CollectionIndexes } from './search/collection-indexes.ts';
import { SearchService } from './search/search-service.ts';
import { Standby } from './search/standby.ts';
import { TextModels } from './search/text-models.ts';
import { UploadedImages } from './search/uploaded-images.ts';

/** A filter over millions of rows must not go on after nobody waits for it. */
const STATEMENT_TIMEOUT_MS = 60_000;
const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url));
/** More text sessions than this gain little, and each holds the language model once more. */
const MOST_TEXT_SESSIONS = 4;

export interface StartOptions {
  /** What is opened is handed to it, in order. */
  readonly closers: Closers;
  readonly logger: Logger;
}

export interface RunningApi {
  /** `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly services: Services;
  /** Resolves when every index has caught up, and every text model is loaded that a search or a switch may need. */
  readonly ready: Promise<void>;
}

/** Opens everything the API works with, and listens. Reads top to bottom as a parts list. */
export async function startApi(config: ApiConfig, options: StartOptions): Promise<RunningApi> {
  const { closers, logger } = options;
  const parts = await openParts(config, options);
  const { services, metrics } = parts;
  const schema = await createSchema();
  const limiter = new CostLimiter({
    capacity: config.costCapacity,
    refillPerSecond: config.costPerSecond,
  });
  const app = express();
  app.disable('x-powered-by');
  if (config.trustsProxy) app.set('trust proxy', 1); // TLS ends there: cookies become Secure
  const httpServer = createServer(app);
  const server = createApollo({ config, schema, limiter, metrics, logger, httpServer });
  await server.start();
  closers.add(() => server.stop());
  let areIndexesReady = false;
  const { isIntrospectable, trustsProxy } = config;
  const errors = { logger, isProduction: !isIntrospectable };
  addRoutes(app, server, {
    ...{ ...parts, schema, logger, errors, trustsProxy },
    areIndexesReady: () => areIndexesReady,
  });
  // Subscriptions come after: a socket server writes out every error of the server it sits on, also that a port is taken.
  const url = await listen(httpServer, config);
  const onCost = metrics.observeCost.bind(metrics);
  const subscriptions = serveSubscriptions({
    ...{ httpServer, schema, services, limiter, errors, isIntrospectable, onCost },
  });
  closers.add(() => subscriptions.close());
  const standby = new Standby({ ...services, logger });
  closers.add(() => standby.close());
  const ready = Promise.all([services.indexes.openLive(), standby.start()]).then(() => {
    areIndexesReady = true;
  });
  ready.catch((error: unknown) => {
    logger.error({ err: error }, 'The indexes could not be opened.');
  });
  return { url, services, ready };
}

interface Parts {
  readonly services: Services;
  readonly metrics: Metrics;
  readonly media: Parameters<typeof createMedia>[0];
}

async function openParts(config: ApiConfig, { closers, logger }: StartOptions): Promise<Parts> {
  const { dataFolder, databaseUrl, bundleFolder, bundlesFolder, engine, mediaRoots } = config;
  const bundle = await Bundle.open(bundleFolder);
  if (bundle.manifest.projector === undefined) {
    const message = `The model bundle ${bundleFolder} has no projector: train one, or name another.`;
    throw new PlatformError('INVALID_CONFIG', message);
  }
  const catalog = await BundleCatalog.open({ main: bundle, folder: bundlesFolder, logger });
  const textSessions = Math.min(availableParallelism(), MOST_TEXT_SESSIONS);
  const loaded = new LoadedModels(catalog, { textSessions, visionSessions: 1 });
  closers.add(() => loaded.close());
  // The two slow starts side by side.
  const [database] = await Promise.all([
    openDatabase({ url: databaseUrl, dataFolder, logger }, closers),
    loaded.findText(bundle.textModel),
  ]);
  const registered = await registerBundle(database, bundle);
  const textModels = new TextModels({
    find: (fingerprint) => loaded.findText(fingerprint),
    parallel: textSessions,
  });
  const texts = await textModels.get({ ...bundle.manifest, fingerprint: bundle.textModel });
  await texts.encode('a photo'); // the first run of a graph takes longer
  const listener = new ChangeListener({ createClient: () => database.createClient(), logger });
  closers.add(() => listener.close());
  const folder = snapshotFolder(dataFolder);
  const indexes = new CollectionIndexes({ database, listener, engine, folder, logger });
  closers.add(() => indexes.close());
  const decoder = new Decoder({ processes: 1 });
  closers.add(() => decoder.close());
  const metrics = new Metrics({ readIndexes: () => readIndexes(database, indexes) });
  const secret = await loadOrCreateSecret(dataFolder);
  const search = new SearchService({
    ...{ database, indexes, textModels, cursorSecret: secret },
    onSearch: ({ encode, index, hydrate, total }) => {
      metrics.observeSearchStage('encode', encode / 1000);
      metrics.observeSearchStage('index', index / 1000);
      metrics.observeSearchStage('hydrate', hydrate / 1000);
      metrics.observeSearchStage('total', total / 1000);
    },
  });
  const signer = new UrlSigner({ secret });
  const uploadedImages = new UploadedImages({ decoder, models: loaded });
  const [uploads, thumbnails] = [new UploadStore(dataFolder), new ThumbnailStore(dataFolder)];
  const services: Services = {
    ...{ database, listener, bundle, registered, texts, uploadedImages, uploads, indexes, search },
    ...{ signer, mediaRoots, logger, textModels, catalog, vision: loaded },
    models: new ModelLists({ prisma: database.prisma, catalog, logger }),
    now: () => new Date(),
  };
  return {
    ...{ services, metrics },
    media: { database, uploads, thumbnails, decoder, signer, logger },
  };
}

async function openDatabase(
  options: Parameters<typeof Database.open>[0],
  closers: Closers,
): Promise<Database> {
  const database = await Database.open({
    ...options,
    applicationName: 'sharelock api',
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  closers.add(() => database.close());
  await migrate(database.pool);
  await putBuiltIns(database.pool, new Date());
  return database;
}

interface ApolloParts {
  readonly config: ApiConfig;
  readonly schema: GraphQLSchema;
  readonly limiter: CostLimiter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly httpServer: Server;
}

function createApollo(parts: ApolloParts): ApolloServer<Context> {
  const { config, schema, limiter, metrics, logger, httpServer } = parts;
  const isProduction = !config.isIntrospectable;
  return new ApolloServer<Context>({
    schema,
    logger,
    introspection: config.isIntrospectable,
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    parseOptions: { maxLexicalTokens: DOCUMENT_LIMITS.tokens },
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => formatError(formatted, error, { logger, isProduction }),
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer, stopGracePeriodMillis: 3000 }),
      createCostPlugin<Context>({ limiter, onCost: metrics.observeCost.bind(metrics) }),
      createMetricsPlugin(metrics),
    ],
  });
}

interface RouteParts extends Parts {
  readonly schema: GraphQLSchema;
  readonly logger: Logger;
  readonly errors: FormatErrorOptions;
  readonly trustsProxy: boolean;
  readonly areIndexesReady: () => boolean;
}

function addRoutes(app: Express, server: ApolloServer<Context>, parts: RouteParts): void {
  const { services, metrics, media, schema, logger, errors, trustsProxy } = parts;
  const { areIndexesReady } = parts;
  const { prisma } = services.database;
  app.use(createRequestMetrics(metrics));
  app.use(createSecurityHeaders());
  app.use(createHealthRouter({ checks: healthChecks(services, areIndexesReady), logger }));
  const isAllowed = (request: Request): Promise<boolean> =>
    isOperator(request, { prisma, trustsProxy });
  app.use(createMetricsRouter({ metrics, isAllowed }));
  app.use(createSchemaRouter(schema, isAllowed));
  app.use(createSignInRouter({ prisma, now: services.now }));
  app.use('/graphql', createGraphqlRouter(server, services, createDocumentGuard(errors)));
  app.use(createMedia(media));
  app.use(createStaticWeb({ folder: WEB_FOLDER, logger }));
  app.use(createLastResort(logger));
}

async function listen(server: Server, { host, port }: ApiConfig): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(cannotListen(error, host, port));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

function cannotListen(cause: Error, host: string, port: number): PlatformError {
  const reason =
    systemErrorCode(cause) === 'EADDRINUSE'
      ? `Port ${port} of ${host} is taken: stop what has it, or set PORT to another.`
      : `The server can't listen on ${host}:${port}: ${cause.message}.`;
  return new PlatformError('INVALID_CONFIG', reason, { cause });
}
