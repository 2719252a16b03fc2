import { watch, type FSWatcher } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemErrorCode } from '../../platform/errors.ts';

export interface FolderEvents {
  /** Something in the folder was made, changed, moved or deleted. Called as often as the system says so. */
  readonly onChange: () => void;
  /** From now on not everything in the folder is watched. */
  readonly onError: (error: unknown) => void;
}

/** A folder that is watched; `FolderWatcher` is one. */
export interface FolderWatch {
  /** Finds folders that the system forgot to tell of, as it does when too much happens at once. */
  refresh(): Promise<void>;
  /** Whether the folder is still the one that is watched: not deleted, and nothing was mounted or unmounted there. */
  isStillThere(): Promise<boolean>;
  close(): void;
}

/** Resolves when all of the folder is watched. Rejects with the system's error: ENOENT, ENOSPC (too many watches), … */
export type WatchFolder = (folder: string, events: FolderEvents) => Promise<FolderWatch>;

/** These tell of a whole tree by themselves. Elsewhere every folder is watched by itself. */
const WATCHES_TREES = process.platform === 'darwin' || process.platform === 'win32';

interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: bigint;
}

/**
 * Tells of changes anywhere below a folder. Takes one watch of the system's for each folder and none for files. A folder is
 * watched before it is looked into, so that nothing made meanwhile is missed. Hidden files and folders are left out and links
 * aren't followed, as in a scan. See docs/decisions/0033-watching-folders.md.
 */
export class FolderWatcher implements FolderWatch {
  readonly #folder: string;
  readonly #identity: string;
  readonly #events: FolderEvents;
  /** By path below the folder; its own is empty. */
  readonly #watched = new Map<string, Watched>();
  /** One look at the tree after the other. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;
  #isLost = false;

  private constructor(folder: string, identity: string, events: FolderEvents) {
    this.#folder = folder;
    this.#identity = identity;
    this.#events = events;
  }

  /** See `WatchFolder`. */
  static async open(folder: string, events: FolderEvents): Promise<FolderWatcher> {
    const watcher = new FolderWatcher(folder, await identify(folder), events);
    try {
      await watcher.refresh();
      return watcher;
    } catch (error) {
      watcher.close();
      throw error;
    }
  }

  refresh(): Promise<void> {
    const done = this.#work.then(() => this.#watchTree(''));
    this.#work = done.catch(() => undefined);
    return done;
  }

  async isStillThere(): Promise<boolean> {
    if (this.#isLost) return false;
    return (await identify(this.#folder).catch(() => null)) === this.#identity;
  }

  close(): void {
    this.#isClosed = true;
    this.#unwatch('');
  }

  async #watchTree(path: string): Promise<void> {
    const open = [path];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      try {
        if (await this.#watch(next)) open.push(...(await this.#foldersIn(next)));
      } catch (error) {
        if (next === '' || !isOutOfReach(error)) throw error;
        this.#unwatch(next);
      }
    }
  }

  /** Whether it is a folder whose own folders are to be watched, too. */
  async #watch(path: string): Promise<boolean> {
    const file = join(this.#folder, path);
    const stats =
      path === '' ? await stat(file, { bigint: true }) : await lstat(file, { bigint: true });
    if (!stats.isDirectory() || this.#isClosed || !this.#isReached(path)) return false;
    const known = this.#watched.get(path);
    if (known?.inode === stats.ino) return !WATCHES_TREES;
    this.#unwatch(path);
    const options = { persistent: false, recursive: WATCHES_TREES };
    const watcher = watch(file, options, (kind, name) => {
      this.#handle(path, kind, name);
    });
    watcher.on('error', this.#events.onError);
    this.#watched.set(path, { watcher, inode: stats.ino });
    return !WATCHES_TREES;
  }

  /** Whether the folder it lies in is watched; else it is found when that one is. */
  #isReached(path: string): boolean {
    return path === '' || this.#watched.has(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  }

  async #foldersIn(path: string): Promise<readonly string[]> {
    const entries = await readdir(join(this.#folder, path), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !isHidden(entry.name))
      .map(({ name }) => below(path, name));
  }

  #handle(parent: string, kind: string, name: string | null): void {
    if (this.#isClosed || (name !== null && isHidden(name))) return;
    const isMade = kind === 'rename'; // or moved, or deleted
    if (isMade && parent === '' && name === basename(this.#folder)) this.#isLost = true;
    this.#events.onChange();
    if (isMade && name !== null && !WATCHES_TREES) this.#lookAgain(below(parent, name));
  }

  /** A folder of the same name may be another one, even with the same inode: it gets another watch. */
  #lookAgain(path: string): void {
    this.#work = this.#work.then(async () => {
      const before = this.#take(path);
      try {
        await this.#watchTree(path);
      } catch (error) {
        if (!this.#isClosed) this.#events.onError(error);
      } finally {
        for (const watcher of before) watcher.close(); // not sooner, or what comes in between is lost
      }
    });
  }

  #unwatch(path: string): void {
    for (const watcher of this.#take(path)) watcher.close();
  }

  /** The watchers of a folder and of everything below, which count no more. */
  #take(path: string): readonly FSWatcher[] {
    if (!this.#watched.has(path)) return []; // nor is anything below
    const taken: FSWatcher[] = [];
    for (const [one, { watcher }] of this.#watched) {
      if (path !== '' && one !== path && !one.startsWith(`${path}/`)) continue;
      this.#watched.delete(one);
      taken.push(watcher);
    }
    return taken;
  }
}

function below(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** A name, or a path where the system tells of a whole tree. */
function isHidden(name: string): boolean {
  return name.split(/[/\\]/).some((part) => part.startsWith('.'));
}

async function identify(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return `${dev}:${ino}`;
}

/** Gone meanwhile, or not ours to look into: a scan says so. */
function isOutOfReach(error: unknown): boolean {
  const code = systemErrorCode(error) ?? '';
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG'].includes(code);
}
