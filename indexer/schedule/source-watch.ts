import { messageOf, systemErrorCode } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { FolderWatch, WatchFolder } from './folder-watcher.ts';

/**
 * off → watching, or away (nobody gets to the folder), or refused (the system watches no more). From these two it is tried
 * again; watching ends when the folder is gone or another one.
 */
type Watch =
  | { readonly phase: 'off' }
  | { readonly phase: 'watching'; readonly watcher: FolderWatch; readonly lookAt: Date }
  | { readonly phase: 'away'; readonly lookAt: Date }
  | { readonly phase: 'refused'; readonly lookAt: Date };

const LOOK_EVERY_MS = { watching: 30_000, away: 30_000, refused: 600_000 };

export interface SourceWatchOptions {
  readonly folder: string;
  readonly watchFolder: WatchFolder;
  readonly onChange: () => void;
  readonly logger: Logger;
}

/** The watch over a source's folder, through the folder's comings and goings. */
export class SourceWatch {
  readonly #options: SourceWatchOptions;
  #watch: Watch = { phase: 'off' };
  /** Of the watcher, since the last look. */
  #error: unknown = null;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
  }

  get phase(): Watch['phase'] {
    return this.#watch.phase;
  }

  /** Looks after it. True: it is watched from now on, and nobody knows what happened before. */
  async look(now: Date): Promise<boolean> {
    const watch = this.#watch;
    if (this.#error !== null) this.#fail(this.#error, now);
    else if (watch.phase === 'watching') {
      if (now < watch.lookAt) return false;
      if (await watch.watcher.isStillThere()) {
        this.#watch = { ...watch, lookAt: after(now, 'watching') };
        return false;
      }
      watch.watcher.close();
    } else if (watch.phase !== 'off' && now < watch.lookAt) return false;
    return this.#begin(now);
  }

  /** Before a scan: whether the folder is there, and everything in it watched. */
  async refresh(now: Date): Promise<boolean> {
    if (this.#watch.phase !== 'watching') return true;
    const { watcher } = this.#watch;
    if (!(await watcher.isStillThere())) {
      this.#watch = { ...this.#watch, lookAt: now };
      return false;
    }
    await watcher.refresh().catch((error: unknown) => {
      this.#error = error;
    });
    return true;
  }

  close(): void {
    if (this.#watch.phase === 'watching') this.#watch.watcher.close();
    this.#watch = { phase: 'off' };
    this.#error = null;
  }

  async #begin(now: Date): Promise<boolean> {
    const { folder, watchFolder, onChange, logger } = this.#options;
    try {
      const watcher = await watchFolder(folder, {
        onChange,
        onError: (error) => {
          this.#error = error;
        },
      });
      if (this.#watch.phase !== 'off') logger.info('The folder is watched again.');
      this.#watch = { phase: 'watching', watcher, lookAt: after(now, 'watching') };
      return true;
    } catch (error) {
      this.#fail(error, now);
      return false;
    }
  }

  #fail(error: unknown, now: Date): void {
    const { logger } = this.#options;
    const before = this.#watch;
    if (before.phase === 'watching') before.watcher.close();
    this.#error = null;
    const phase = isAway(error) ? 'away' : 'refused';
    this.#watch = { phase, lookAt: after(now, phase) };
    if (before.phase === phase) return; // said already
    logger.warn({ err: error }, phase === 'away' ? AWAY : `${messageOf(error)}. ${REFUSED}`);
  }
}

const AWAY = "The folder can't be opened, so it isn't watched; it is looked for every 30 seconds.";
const REFUSED =
  'The folder is scanned every 60 seconds instead of watched: raise the system’s limit ' +
  '(Linux: sysctl fs.inotify.max_user_watches), or set rescanEverySeconds and switch watching off.';

function after(now: Date, phase: keyof typeof LOOK_EVERY_MS): Date {
  return new Date(now.getTime() + LOOK_EVERY_MS[phase]);
}

/** Nobody gets there now, and may again. Else it is the system that doesn't watch. */
function isAway(error: unknown): boolean {
  const codes = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENODEV', 'ENOTCONN'];
  return [...codes, 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT'].includes(
    systemErrorCode(error) ?? '',
  );
}
