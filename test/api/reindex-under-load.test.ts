import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { SAMPLE_PHOTOS, temporaryFolder, TINY_BUNDLE } from '../support/bundles.ts';
import { useEmptyDatabase } from '../support/database.ts';
import { judge } from '../support/load/reindex-evidence.ts';
import { reindexUnderLoad } from '../support/load/reindex-under-load.ts';

// A larger one, with the real model, is `npm run proof:reindex`.
test('a reindex, a switch, a roll-back and another switch lose no search and no upload, in two servers', async () => {
  const names = await readdir(SAMPLE_PHOTOS);

  const evidence = await reindexUnderLoad({
    ...{ folder: await temporaryFolder(), server: await useEmptyDatabase(), bundle: TINY_BUNDLE },
    ...{ dimensions: 8, photos: names.map((name) => join(SAMPLE_PHOTOS, name)) },
    texts: Array.from({ length: 500 }, (_, i) => `a photo of ${i} birds`),
    ...{ searchesPerSecond: 20, uploadEveryMs: 400, quietMs: 2000, isWorkerEqual: true },
    ...{ timeoutMs: 120_000, mostOpen: 4 }, // a busy machine is no failure
    ...{ signal: new AbortController().signal, log: () => undefined },
  });

  expect(judge(evidence, Infinity)).toEqual([]);
  expect(evidence.uploads.acknowledged.length).toBeGreaterThan(evidence.uploads.deleted.length);
});
