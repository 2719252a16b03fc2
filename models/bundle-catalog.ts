import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PlatformError, systemErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { Bundle } from './bundle.ts';

/** The folder is looked at again after this time, so that a bundle somebody adds is seen without a restart. */
const RESCAN_AFTER_MS = 2000;

export interface BundleCatalogOptions {
  /** The bundle of `MODEL_BUNDLE`; always first, never looked at again. */
  readonly main: Bundle;
  /** Each folder in it that has a `manifest.json` is one more bundle. It need not exist. */
  readonly folder: string;
  readonly logger: Logger;
  /** Milliseconds that only grow; another one in tests. */
  readonly clock?: () => number;
}

/** A bundle of the folder, and what tells that its manifest is still the one it was opened with. */
interface OpenBundle {
  readonly bundle: Bundle;
  readonly manifestState: string;
}

/**
 * The bundles that can be used here: the main one and those of a folder. A folder without a manifest is no bundle (yet: its
 * manifest is the last file that is written); one whose manifest can't be used is left out, with one warning a reason.
 */
export class BundleCatalog {
  readonly main: Bundle;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #clock: () => number;
  #open: ReadonlyMap<string, OpenBundle> = new Map();
  #bundles: readonly Bundle[];
  #scannedAt = -Infinity;
  #scan: Promise<void> | null = null;
  /** Per folder: the reason it was last warned of. */
  readonly #warned = new Map<string, string>();

  private constructor({ main, folder, logger, clock }: BundleCatalogOptions) {
    this.main = main;
    this.#bundles = [main];
    this.#folder = folder;
    this.#logger = logger;
    this.#clock = clock ?? (() => performance.now());
  }

  static async open(options: BundleCatalogOptions): Promise<BundleCatalog> {
    const catalog = new BundleCatalog(options);
    await catalog.#rescan();
    return catalog;
  }

  /** The main bundle, then the others by name, the highest version of a name first. */
  async all(): Promise<readonly Bundle[]> {
    if (this.#clock() - this.#scannedAt >= RESCAN_AFTER_MS) await this.#rescan();
    return this.#bundles;
  }

  /** The first of `all` whose photos lie in this space; it may have no projector. */
  findByVisionSpace(fingerprint: string): Promise<Bundle | null> {
    return this.#find(({ visionSpace }) => visionSpace === fingerprint);
  }

  /** The first of `all` with this text model. */
  findByTextModel(fingerprint: string): Promise<Bundle | null> {
    return this.#find(
      ({ manifest, textModel }) => manifest.projector !== undefined && textModel === fingerprint,
    );
  }

  async #find(matches: (bundle: Bundle) => boolean): Promise<Bundle | null> {
    if (matches(this.main)) return this.main;
    const found = (await this.all()).find(matches);
    if (found) return found;
    // A scan that is under way may have passed the place of a bundle that was added since.
    await this.#scan;
    await this.#rescan();
    return this.#bundles.find(matches) ?? null;
  }

  /** Callers at the same time share one scan. */
  #rescan(): Promise<void> {
    this.#scan ??= this.#scanFolder().finally(() => {
      this.#scan = null;
    });
    return this.#scan;
  }

  async #scanFolder(): Promise<void> {
    const main = await resolved(this.main.folder);
    const open = new Map<string, OpenBundle>();
    for (const name of await this.#listFolder()) {
      const folder = join(this.#folder, name);
      const manifestState = await stateOf(join(folder, 'manifest.json'));
      if (manifestState === null || (await resolved(folder)) === main) continue;
      const known = this.#open.get(folder);
      const bundle =
        known?.manifestState === manifestState ? known.bundle : await this.#openBundle(folder);
      if (bundle) open.set(folder, { bundle, manifestState });
    }
    const others = [...open.values()].map(({ bundle }) => bundle);
    this.#open = open;
    this.#bundles = [this.main, ...others.sort(byNameThenNewest)];
    this.#scannedAt = this.#clock();
  }

  async #listFolder(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') this.#warnOnce(this.#folder, messageOf(error));
      return [];
    }
  }

  async #openBundle(folder: string): Promise<Bundle | null> {
    try {
      const bundle = await Bundle.open(folder);
      this.#warned.delete(folder);
      return bundle;
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      this.#warnOnce(folder, error.message);
      return null;
    }
  }

  #warnOnce(folder: string, reason: string): void {
    if (this.#warned.get(folder) === reason) return;
    this.#warned.set(folder, reason);
    this.#logger.warn({ folder, reason }, 'a model bundle is left out');
  }
}

/** Where links lead; a folder that went away meanwhile stays what it is. */
function resolved(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}

/** What changes when a file is written again; null where there is none. */
async function stateOf(path: string): Promise<string | null> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return null;
  }
}

function byNameThenNewest(a: Bundle, b: Bundle): number {
  const [left, right] = [a.manifest, b.manifest];
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return right.version - left.version || (a.folder < b.folder ? -1 : 1);
}
