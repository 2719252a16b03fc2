import { cp, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { textAt, useApi, valuesAt, type TestApi } from '../support/api.ts';

const data = process.env['SHARELOCK_DATA'];
const folder = join(data ?? '', 'captioned_photos');
const whenThere = data !== undefined && existsSync(folder) ? test : test.skip;

interface Row {
  readonly image: string;
  readonly captions: readonly string[];
}

whenThere('a caption finds its photo among 96 (SHARELOCK_DATA)', async () => {
  const api = await useApi();
  const text = await readFile(join(folder, 'captions.jsonl'), 'utf8');
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  await indexAll(api);
  const questions = rows.flatMap(({ image, captions }) =>
    captions.map((caption) => ({ image, caption })),
  );

  let [first, amongFive] = [0, 0];
  for (const { image, caption } of questions) {
    const answer = await api.query(
      `query ($text: String!) {
        search(input: { collection: "captioned", text: $text, cut: false }, first: 5) {
          edges { node { path } }
        }
      }`,
      { variables: { text: caption } },
    );
    const paths = valuesAt(answer, 'search.edges.node.path').map(String);
    const at = paths.findIndex((path) => path.endsWith(`/${image}`));
    if (at === 0) first++;
    if (at >= 0) amongFive++;
  }

  expect(rows).toHaveLength(96);
  expect((100 * first) / questions.length).toBeGreaterThanOrEqual(46);
  expect((100 * amongFive) / questions.length).toBeGreaterThanOrEqual(75);
});

/** As a user would: a collection, a source, an ingest. */
async function indexAll(api: TestApi): Promise<void> {
  const source = join(api.mediaRoot, 'captioned');
  await cp(folder, source, { recursive: true });
  await api.query(
    'mutation { createCollection(input: { name: "captioned" }) { userErrors { code } } }',
  );
  await api.query(
    `mutation ($folder: String!) {
      addSource(input: { collection: "captioned", folder: $folder }) { userErrors { code } }
    }`,
    { variables: { folder: source } },
  );
  const started = await api.query(
    'mutation { startIngest(input: { collection: "captioned" }) { job { id } } }',
  );
  await api.runJob(textAt(started, 'startIngest.job.id'));
}
