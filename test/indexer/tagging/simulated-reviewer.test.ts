import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Bundle } from '../../../models/bundle.ts';
import { DEFAULT_BUNDLE, temporaryFolder } from '../../support/bundles.ts';
import { embedLabelled } from '../../support/captioned-embeddings.ts';
import { useDatabase } from '../../support/database.ts';
import { useJobServices, useModels } from '../../support/indexing.ts';
import { simulateReviews } from '../../support/simulated-reviewer.ts';

/** Photos with captions, where there are some (docs/running.md); test/bench/simulated-reviewer.ts takes a thousand. */
const DATASET = join(process.env['SHARELOCK_DATA'] ?? 'data', 'flickr8k');
const [PHOTOS, LABELS, CLICKS] = [600, 14, 50];

const whenThere = existsSync(join(DATASET, 'captions.jsonl')) ? test : test.skip;

whenThere(
  'fifty clicks a label make its probabilities right, and its precision known',
  async () => {
    const services = {
      ...(await useJobServices(await useDatabase())),
      models: await useModels(await Bundle.open(DEFAULT_BUNDLE), await temporaryFolder()),
    };
    const photos = await embedLabelled({ dataset: DATASET, split: 'dev', limit: PHOTOS });
    const shown = photos.labels.map((_, i) => photos.photos.filter((one) => one.shows[i]).length);
    const labels = [...shown.keys()]
      .sort((a, b) => (shown[b] ?? 0) - (shown[a] ?? 0))
      .slice(0, LABELS);

    const reviewed = await simulateReviews(services, photos, { labels, clicks: CLICKS });

    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const [before, after] = [
      mean(reviewed.map(({ errorBefore }) => errorBefore)),
      mean(reviewed.map(({ errorAfter }) => errorAfter)),
    ];
    expect(after).toBeLessThan(0.08);
    expect(after).toBeLessThan(before / 1.5);
    const runs = reviewed.flatMap((label) => label.runs);
    const wrong = runs.filter(({ precision, reported: { precision: told } }) => {
      return precision !== null && (precision < told.low - 1e-9 || precision > told.high + 1e-9);
    });
    expect(wrong.length).toBeLessThanOrEqual(3); // of some 28: intervals are of 95 %
  },
);
