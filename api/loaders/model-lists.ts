import type { BundleCatalog } from '../../models/bundle-catalog.ts';
import { registerBundle } from '../../indexer/collections.ts';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { PrismaClient } from '../../store/database.ts';
import {
  listTextModels,
  listVisionSpaces,
  type TextModelRecord,
  type VisionSpaceRecord,
} from '../../store/model-registry.ts';

/** Rows never change, and new ones come with a new bundle or a training. */
const KEPT_MS = 2000;

export interface ModelListsOptions {
  readonly prisma: PrismaClient;
  readonly catalog: Pick<BundleCatalog, 'all'>;
  readonly logger: Logger;
  /** Milliseconds, of any origin. */
  readonly now?: () => number;
}

/**
 * The vision spaces and text models there are: short lists that every search needs, read at most every two seconds. Bundles that
 * were added meanwhile are registered first.
 */
export class ModelLists {
  readonly visionSpaces: ReadList<VisionSpaceRecord>;
  readonly textModels: ReadList<TextModelRecord>;
  readonly #options: ModelListsOptions;
  /** Fingerprints of text models that are registered, or can't be. */
  readonly #registered = new Set<string>();

  constructor(options: ModelListsOptions) {
    this.#options = options;
    const { prisma, now = () => performance.now() } = options;
    this.visionSpaces = keep(async () => {
      await this.#register();
      return listVisionSpaces(prisma);
    }, now);
    this.textModels = keep(async () => {
      await this.#register();
      return listTextModels(prisma);
    }, now);
  }

  async #register(): Promise<void> {
    const { prisma, catalog, logger } = this.#options;
    for (const bundle of await catalog.all()) {
      if (this.#registered.has(bundle.textModel)) continue;
      try {
        await registerBundle({ prisma }, bundle);
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error; // the database's: it passes
        logger.warn(`The bundle ${bundle.folder} can't be used: ${messageOf(error)}`);
      }
      this.#registered.add(bundle.textModel);
    }
  }
}

/** `afresh`: past what is kept, for who knows of a row that the list lacks. */
export type ReadList<T> = (afresh?: boolean) => Promise<readonly T[]>;

function keep<T>(read: () => Promise<readonly T[]>, now: () => number): ReadList<T> {
  let kept: { readonly at: number; readonly value: Promise<readonly T[]> } | null = null;
  return (afresh = false) => {
    if (kept === null || afresh || now() - kept.at > KEPT_MS) {
      const value = read();
      kept = { at: now(), value };
      value.catch(() => (kept = null));
    }
    return kept.value;
  };
}
