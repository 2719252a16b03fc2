import type { Logger } from '../platform/logger.ts';
import type { Bundle } from '../models/bundle.ts';
import type { BundleCatalog } from '../models/bundle-catalog.ts';
import type { Models } from '../models/loaded-models.ts';
import type { RegisteredBundle } from '../indexer/collections.ts';
import type { UploadStore } from '../indexer/ingest/uploads.ts';
import type { ChangeListener } from '../store/change-listener.ts';
import type { Database } from '../store/database.ts';
import type { Viewer } from './auth/viewer.ts';
import { createLoaders, type Loaders } from './loaders/create-loaders.ts';
import type { ModelLists } from './loaders/model-lists.ts';
import type { UrlSigner } from './media/signer.ts';
import type { CollectionIndexes } from './search/collection-indexes.ts';
import type { SearchService } from './search/search-service.ts';
import type { TextEmbeddings } from './search/text-embeddings.ts';
import type { TextModels } from './search/text-models.ts';
import type { UploadedImages } from './search/uploaded-images.ts';

/** What the process has one of. */
export interface Services {
  readonly database: Database;
  readonly listener: ChangeListener;
  /** The bundle that new collections begin with. */
  readonly bundle: Bundle;
  /** The rows of its models. */
  readonly registered: RegisteredBundle;
  /** Its text model. */
  readonly texts: TextEmbeddings;
  readonly vision: Pick<Models, 'findVision'>;
  /** All bundles here. */
  readonly catalog: BundleCatalog;
  readonly models: ModelLists;
  readonly textModels: TextModels;
  readonly uploadedImages: UploadedImages;
  readonly uploads: UploadStore;
  readonly indexes: CollectionIndexes;
  readonly search: SearchService;
  readonly signer: Pick<UrlSigner, 'sign'>;
  /** Folders below which sources may lie; none: GraphQL can't add any. */
  readonly mediaRoots: readonly string[];
  readonly logger: Logger;
  readonly now: () => Date;
}

/** What a request has one of. A plain object: Apollo works on a copy. */
export interface Context {
  readonly services: Services;
  readonly viewer: Viewer;
  /** Whose bucket pays for the request. */
  readonly limitKey: string;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  loaders: Loaders;
}

export function createContext(services: Services, viewer: Viewer, signal: AbortSignal): Context {
  return {
    ...{ services, viewer, signal, limitKey: viewer.id },
    loaders: createLoaders(services.database, services.models),
  };
}

/** Forgets what was read: before each event of a subscription. */
export function freshen(context: Context): void {
  const { database, models } = context.services;
  context.loaders = createLoaders(database, models);
}
