import type { Database } from '../store/database.ts';
import type { TextModelId, VisionSpaceId } from '../store/ids.ts';
import type { Logger } from '../platform/logger.ts';
import type { ChangeListener } from '../store/change-listener.ts';
import type { Viewer } from './auth/viewer.ts';
import { createLoaders, type Loaders } from './loaders/create-loaders.ts';
import type { CollectionIndexes } from './search/collection-indexes.ts';
import type { ImageClassifier } from './search/image-classifier.ts';
import type { SearchService } from './search/search-service.ts';
import type { MediaUrls } from './media/media-urls.ts';
import type { IngestService } from './ingest-service.ts';

/** What the process has one of. */
export interface Services {
  readonly database: Database;
  readonly indexes: CollectionIndexes;
  readonly listener: ChangeListener;
  readonly search: SearchService;
  readonly classifier: ImageClassifier;
  readonly ingest: IngestService;
  readonly mediaUrls: MediaUrls;
  /** The rows of the loaded bundle's models. */
  readonly registered: RegisteredModels;
  readonly logger: Logger;
  readonly now: () => Date;
}

export interface RegisteredModels {
  readonly visionSpaceId: VisionSpaceId;
  readonly textModelId: TextModelId;
}

/** What a request has one of. */
export class Context {
  readonly services: Services;
  readonly viewer: Viewer;
  /** Whose bucket pays for the request. */
  readonly limitKey: string;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  #loaders: Loaders;

  constructor(services: Services, viewer: Viewer, signal: AbortSignal) {
    this.services = services;
    this.viewer = viewer;
    this.limitKey = viewer.id;
    this.signal = signal;
    this.#loaders = createLoaders(services.database);
  }

  get loaders(): Loaders {
    return this.#loaders;
  }

  /** Forgets what was read: after a mutation, and before each event of a subscription. */
  freshen(): void {
    this.#loaders = createLoaders(this.services.database);
  }
}

