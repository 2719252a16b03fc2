import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeNodeId } from '../../api/node-ids.ts';
import { ensureKeywords, KEYWORDS } from '../../store/vocabularies.ts';
import { ensureLabels } from '../../store/vocabulary-labels.ts';
import { imageIdOf, textAt, useApi, valuesAt, type Answer, type TestApi } from '../support/api.ts';
import { TINY_BUNDLE } from '../support/bundles.ts';
import { newVocabulary } from '../support/tagging.ts';

const PHOTOS = ['scarlet-macaw', 'windmill', 'striped-cichlid', 'koala', 'coffee', 'goldfish'];
const LABELS = ['bird', 'mill', 'fish', 'bear', 'drink'];

let api: TestApi;
let curator: string;
let reader: string;
beforeAll(async () => {
  api = await useApi({ MODEL_BUNDLE: TINY_BUNDLE });
  await api.indexedCollection('photos', PHOTOS);
  await api.indexedCollection('others', ['koala']);
  await newVocabulary(api.services.database, LABELS, 'things');
  curator = await api.keyFor('CURATOR', ['photos']);
  reader = await api.keyFor('READER', ['photos']);
});

const OUTCOME = `job { id kind state tagRun { id state } } userErrors { code field message }`;
const START = `mutation ($input: TagRunInput!) { startTagRun(input: $input) { ${OUTCOME} } }`;
const REVERT = `mutation ($input: RevertTagRunInput!) { revertTagRun(input: $input) { ${OUTCOME} } }`;
const PREVIEW = `mutation ($input: TagRunInput!) {
  previewTagRun(input: $input) {
    images tagged tags estimatedSeconds textModel { name } userErrors { code field }
    labels {
      label count threshold isCalibrated
      best { image { path } score probability isTagged }
      borderline { image { path } probability isTagged }
    }
  }
}`;
const RUNS = `query ($collection: String!, $vocabulary: String, $first: Int, $after: String) {
  tagRuns(collection: $collection, vocabulary: $vocabulary, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node {
      id state isStale vocabularyVersion options images tagged tags createdBy appliedAt revertedAt
      collection { name } vocabulary { name } textModel { name } supersededBy { id } job { id kind }
      labels(first: 2) { totalCount pageInfo { hasNextPage endCursor } edges { node { label count } } }
    } }
  }
}`;

function ask(document: string, input: object, key = curator): Promise<Answer> {
  return api.query(document, { key, variables: { input } });
}

function runInput(more: object = {}): object {
  return { collection: 'photos', vocabulary: 'things', minTagsPerImage: 1, ...more };
}

/** Id of an applied run. */
async function applied(more: object = {}): Promise<string> {
  const answer = await ask(START, runInput(more));
  await api.runJob(textAt(answer, 'startTagRun.job.id'));
  return textAt(answer, 'startTagRun.job.tagRun.id');
}

async function listed(variables: object = {}, key = curator): Promise<Answer> {
  return api.query(RUNS, { key, variables: { collection: 'photos', ...variables } });
}

function userErrors(answer: Answer, field: string): readonly unknown[] {
  return valuesAt(answer, `${field}.userErrors`).map((one) => {
    const { code, field: at } = one as { code: string; field: string[] | null };
    return `${code} ${at?.at(-1) ?? ''}`;
  });
}

describe('a run over the API', () => {
  test('is previewed, started, listed and taken back', async () => {
    const preview = await ask(PREVIEW, runInput());
    expect(valuesAt(preview, 'previewTagRun.userErrors')).toEqual([]);
    const id = await applied();

    const [run] = valuesAt(await listed(), 'tagRuns.edges.node');
    expect(run).toMatchObject({
      ...{ id, state: 'APPLIED', isStale: false, vocabularyVersion: 1, images: PHOTOS.length },
      ...{ supersededBy: null, job: { kind: 'TAG' }, vocabulary: { name: 'things' } },
      options: { filter: {}, minTagsPerImage: 1, maxTagsPerImage: 5, minProbability: 0.5 },
      tagged: valuesAt(preview, 'previewTagRun.tagged')[0],
      tags: valuesAt(preview, 'previewTagRun.tags')[0],
      labels: { totalCount: LABELS.length },
    });
    const [best] = valuesAt(preview, 'previewTagRun.labels.best');
    expect(best).toHaveProperty('isTagged');

    const answer = await ask(REVERT, { id });
    const job = await api.runJob(textAt(answer, 'revertTagRun.job.id'));

    expect(job.state).toBe('SUCCEEDED');
    expect(textAt(answer, 'revertTagRun.job.tagRun.id')).toBe(id);
    const node = await api.query(`{ node(id: "${id}") { ... on TagRun { state revertedAt } } }`);
    expect(textAt(node, 'node.state')).toBe('REVERTED');
  });

  test('a page of its labels follows the other, most tags first', async () => {
    const id = await applied();
    const document = `query ($after: String) { node(id: "${id}") { ... on TagRun {
      labels(first: 2, after: $after) { pageInfo { endCursor } edges { node { label count } } } } } }`;
    const counts: number[] = [];
    let after: string | null = null;
    for (let page = 0; page < 3; page++) {
      const answer: Answer = await api.query(document, { variables: { after } });
      counts.push(...(valuesAt(answer, 'node.labels.edges.node.count') as number[]));
      after = textAt(answer, 'node.labels.pageInfo.endCursor');
    }

    expect(counts).toHaveLength(LABELS.length);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
  });

  test('pages of runs go on where the last ended', async () => {
    await applied();
    await applied();
    const first = await listed({ first: 1 });

    const second = await listed({
      ...{ first: 1, after: textAt(first, 'tagRuns.pageInfo.endCursor') },
    });

    const ids = [first, second].map((page) => textAt(page, 'tagRuns.edges.node.id'));
    expect(new Set(ids).size).toBe(2);
    expect(valuesAt(second, 'tagRuns.edges.node.supersededBy.id')).toEqual([ids[0]]);
  });

  test('the same key gives the same job', async () => {
    const input = runInput({ idempotencyKey: 'once' });

    const answers = [await ask(START, input), await ask(START, input)];

    const [one, two] = answers.map((answer) => textAt(answer, 'startTagRun.job.id'));
    expect(one).toBe(two);
  });

  test('a cancelled one is abandoned', async () => {
    const answer = await ask(START, runInput());
    const id = textAt(answer, 'startTagRun.job.id');
    await api.query(`mutation { cancelJob(input: { id: "${id}" }) { userErrors { code } } }`);

    const [state] = valuesAt(await listed({ first: 1 }), 'tagRuns.edges.node.state');

    expect(state).toBe('ABANDONED');
  });
});

describe('what is wrong with a request is said', () => {
  test.each([
    [{ collection: 'others' }, 'NOT_FOUND collection'],
    [{ vocabulary: 'nothing' }, 'NOT_FOUND vocabulary'],
    [{ version: 2 }, 'NOT_FOUND '],
    [{ version: 0 }, 'NOT_FOUND '],
    [{ maxTagsPerImage: 0 }, 'BAD_USER_INPUT '],
    [{ maxTagsPerImage: 101 }, 'BAD_USER_INPUT '],
    [{ maxTagsPerImage: 2, minTagsPerImage: 3 }, 'BAD_USER_INPUT '],
    [{ minProbability: 1.5 }, 'BAD_USER_INPUT '],
    [{ filter: { path: { contains: 'a\0b' } } }, 'BAD_USER_INPUT filter'],
  ])('%j', async (more, expected) => {
    const started = await ask(START, runInput(more));
    const previewed = await ask(PREVIEW, runInput(more));

    expect(userErrors(started, 'startTagRun')).toEqual([expected]);
    expect(userErrors(previewed, 'previewTagRun')).toEqual([expected]);
  });

  test('the open vocabulary has no labels to run with, however many keywords there are', async () => {
    const { pool } = api.services.database;
    await ensureLabels(pool, (await ensureKeywords(pool)).id, ['seaside']);

    const started = await ask(START, runInput({ vocabulary: KEYWORDS }));
    const previewed = await ask(PREVIEW, runInput({ vocabulary: KEYWORDS }));

    expect(userErrors(started, 'startTagRun')).toEqual(['BAD_USER_INPUT ']);
    expect(userErrors(previewed, 'previewTagRun')).toEqual(['BAD_USER_INPUT ']);
  });

  test('a run is reverted once, and only one that was applied', async () => {
    const started = await ask(START, runInput());
    const id = textAt(started, 'startTagRun.job.tagRun.id');
    expect(userErrors(await ask(REVERT, { id }), 'revertTagRun')).toEqual(['CONFLICT id']);
    await api.runJob(textAt(started, 'startTagRun.job.id'));
    const first = await ask(REVERT, { id });
    expect(userErrors(await ask(REVERT, { id }), 'revertTagRun')).toEqual(['CONFLICT id']);
    await api.runJob(textAt(first, 'revertTagRun.job.id'));

    expect(userErrors(await ask(REVERT, { id }), 'revertTagRun')).toEqual(['CONFLICT id']);
  });

  test("another's run is as good as none", async () => {
    const foreign = await api.query(START, {
      variables: { input: runInput({ collection: 'others' }) },
    });
    await api.runJob(textAt(foreign, 'startTagRun.job.id'));
    const none = encodeNodeId('TagRun', '00000000-0000-4000-8000-000000000000');

    for (const id of [textAt(foreign, 'startTagRun.job.tagRun.id'), none, 'nonsense']) {
      expect(userErrors(await ask(REVERT, { id }), 'revertTagRun')).toEqual(['NOT_FOUND id']);
      const node = await api.query(`{ node(id: "${id}") { id } }`, { key: curator });
      expect(valuesAt(node, 'node')).toEqual([null]);
    }
  });
});

test('readers see runs, but not who made them, and start none', async () => {
  await applied();

  const [run] = valuesAt(await listed({ first: 1 }, reader), 'tagRuns.edges.node');

  expect(run).toMatchObject({ state: 'APPLIED', createdBy: null, job: null });
  for (const [document, input] of [
    [START, runInput()],
    [PREVIEW, runInput()],
    [REVERT, { id: 'x' }],
  ] as const) {
    expect((await ask(document, input, reader)).codes).toEqual(['FORBIDDEN']);
  }
});

test('a run goes stale when the collection gets another text model', async () => {
  await applied();
  const { pool } = api.services.database;
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO text_models (fingerprint, name, version, vision_space_id, language_model, metrics)
     SELECT 'another', name, version + 1, vision_space_id, language_model, '{}' FROM text_models LIMIT 1 RETURNING id`,
  );
  const { rows: before } = await pool.query<{ id: string }>(
    `UPDATE generations g SET text_model_id = $1 FROM generations old
     WHERE old.id = g.id AND g.state = 'LIVE' RETURNING old.text_model_id AS id`,
    [rows[0]?.id],
  );

  const [isStale] = valuesAt(await listed({ first: 1 }), 'tagRuns.edges.node.isStale');

  expect(isStale).toBe(true);
  await pool.query('UPDATE generations SET text_model_id = $1', [before[0]?.id]);
});

describe('a label that no vocabulary has', () => {
  const DOCUMENT = `query ($input: PreviewLabelInput!) {
    previewLabel(input: $input) { label count threshold best { image { path } probability isTagged } }
  }`;

  test('shows what it would find, and leaves nothing behind', async () => {
    const example = await imageIdOf(api, 'photos', 'koala');
    const label = { name: 'one odd koala', examples: [example], negativePrompts: ['a dog'] };
    const answer = await ask(DOCUMENT, { collection: 'photos', label, minProbability: 0.2 });

    expect(answer.codes).toEqual([]);
    expect(valuesAt(answer, 'previewLabel')[0]).toMatchObject({
      label: 'one odd koala',
      threshold: 0.2,
    });
    expect(valuesAt(answer, 'previewLabel.best.probability')).toHaveLength(5);
    const { pool } = api.services.database;
    const { rows } = await pool.query("SELECT FROM labels WHERE name = 'one odd koala'");
    expect(rows).toHaveLength(0);
  });

  test("another's image is no example", async () => {
    const example = await imageIdOf(api, 'others', 'koala');
    const label = { name: 'koala', examples: [example] };

    const answer = await ask(DOCUMENT, { collection: 'photos', label });

    expect(answer.codes).toEqual(['BAD_USER_INPUT']);
  });
});
