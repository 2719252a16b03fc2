import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { FolderWatcher } from '../../../indexer/schedule/folder-watcher.ts';
import { Closers } from '../../../platform/closers.ts';
import { temporaryFolder } from '../../support/bundles.ts';
import { until } from '../../support/until.ts';

let closers = new Closers();
afterEach(async () => {
  await closers.close();
  closers = new Closers();
});

interface Told {
  changes: number;
  readonly errors: unknown[];
}

class Watch {
  readonly folder: string;
  readonly watcher: FolderWatcher;
  readonly #told: Told;

  private constructor(folder: string, watcher: FolderWatcher, told: Told) {
    this.folder = folder;
    this.watcher = watcher;
    this.#told = told;
  }

  static async over(folder: string): Promise<Watch> {
    const told: Told = { changes: 0, errors: [] };
    const watcher = await FolderWatcher.open(folder, {
      onChange: () => told.changes++,
      onError: (error) => told.errors.push(error),
    });
    closers.add(() => {
      watcher.close();
    });
    return new Watch(folder, watcher, told);
  }

  get errors(): readonly unknown[] {
    return this.#told.errors;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Resolves when the change is told of. */
  async sees(what: string, change: () => Promise<unknown>): Promise<void> {
    await this.watcher.refresh(); // what came before is through
    const before = this.#told.changes;
    await change();
    await until(`it tells of ${what}`, () => this.#told.changes > before);
  }

  /** Resolves when it tells of a file that is written again and again: what came before may still be on its way. */
  async seesWritesTo(path: string): Promise<void> {
    await this.watcher.refresh();
    const before = this.#told.changes;
    await until(`it tells of ${path}`, async () => {
      if (this.#told.changes === before) await writeFile(this.path(path), String(Math.random()));
      return this.#told.changes > before;
    });
  }

  /** How often it tells of something, until it tells of a folder that is made afterwards. */
  async timesItTellsOf(change: () => Promise<unknown>): Promise<number> {
    const before = this.#told.changes;
    await change();
    await this.sees('the end', () => mkdir(this.path('the end')));
    return this.#told.changes - before - 1;
  }
}

describe('a folder that is watched', () => {
  test('tells of files that are made, written, moved and deleted, however deep', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    const watch = await Watch.over(folder);
    const [one, two] = [watch.path('a/b/1.jpg'), watch.path('a/2.jpg')];

    await watch.sees('a new file', () => writeFile(one, 'x'));
    await watch.sees('more of it', () => appendFile(one, 'y'));
    await watch.sees('its new place', () => rename(one, two));
    await watch.sees('its end', () => rm(two));

    expect(watch.errors).toEqual([]);
  });

  test('tells of what happens in new, moved and replaced folders', async () => {
    const watch = await Watch.over(await temporaryFolder());

    await watch.sees('a new folder', () => mkdir(watch.path('a/b'), { recursive: true }));
    await watch.seesWritesTo('a/b/1.jpg');
    await watch.sees('a new name', () => rename(watch.path('a'), watch.path('c')));
    await watch.seesWritesTo('c/b/2.jpg');
    await watch.sees('the end of it', () => rm(watch.path('c'), { recursive: true }));
    await watch.sees('another of this name', () => mkdir(watch.path('c/b'), { recursive: true }));
    await watch.seesWritesTo('c/b/3.jpg');

    expect(watch.errors).toEqual([]);
  });

  test('forgets no folder that is made within another at the same moment', async () => {
    const watch = await Watch.over(await temporaryFolder());
    const names = Array.from({ length: 300 }, (_, i) => String(i));
    for (const name of names) {
      await mkdir(watch.path(name));
      await mkdir(watch.path(name, 'deep'));
    }

    for (const name of names) await watch.seesWritesTo(join(name, 'deep/1.jpg'));

    expect(watch.errors).toEqual([]);
  });

  test('keeps still about hidden files and folders', async () => {
    const watch = await Watch.over(await temporaryFolder());

    const times = await watch.timesItTellsOf(async () => {
      await mkdir(watch.path('.thumbnails/a'), { recursive: true });
      await writeFile(watch.path('.thumbnails/a/1.jpg'), 'x');
      await writeFile(watch.path('.1.jpg.part'), 'x');
    });

    expect(times).toBe(0);
  });

  test('is still there until it is moved, deleted or replaced', async () => {
    const parent = await temporaryFolder();
    const [here, there] = [join(parent, 'here'), join(parent, 'there')];
    await mkdir(here);
    const watch = await Watch.over(here);
    const before = await watch.watcher.isStillThere();

    await rename(here, there);
    const moved = await watch.watcher.isStillThere();
    await mkdir(here);
    const replaced = await watch.watcher.isStillThere();

    expect([before, moved, replaced]).toEqual([true, false, false]);
  });

  test('that is not there is an error of the system', async () => {
    const opened = FolderWatcher.open(join(await temporaryFolder(), 'nowhere'), {
      ...{ onChange: () => undefined, onError: () => undefined },
    });

    await expect(opened).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
