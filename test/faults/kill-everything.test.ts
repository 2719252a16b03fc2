import { expect, test } from '@jest/globals';
import { SAMPLE_PHOTOS, TINY_BUNDLE } from '../support/bundles.ts';
import { killEverything } from './kill-everything/kill-everything.ts';

/** `npm run faults:all` does it fifty times, with the shipped bundle. */
test('kill -9 of each worker, the API and Postgres loses nothing', async () => {
  const lines: string[] = [];

  const report = await killEverything({
    ...{ kills: 5, photos: 200, seed: 'short', from: SAMPLE_PHOTOS },
    ...{ bundle: TINY_BUNDLE, widths: [8], betweenMs: [100, 1000], verifyEvery: 100 },
    print: (line) => void lines.push(line),
    signal: new AbortController().signal,
  });

  expect({ faults: report.faults, lines }).toEqual({ faults: [], lines: expect.anything() });
  expect(report.kills).toBe(5);
});
