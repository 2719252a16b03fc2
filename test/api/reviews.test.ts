import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  imageIdOf,
  textAt,
  UNKNOWN_IMAGE,
  useApi,
  valuesAt,
  type Answer,
  type TestApi,
} from '../support/api.ts';
import { TINY_BUNDLE } from '../support/bundles.ts';
import { newVocabulary } from '../support/tagging.ts';

const PHOTOS = [
  ...['scarlet-macaw', 'windmill', 'striped-cichlid', 'koala', 'coffee', 'goldfish', 'hammer'],
  ...['igloo', 'panda', 'parthenon', 'rocket', 'volleyball'],
];
const LABELS = ['animal', { name: 'bird', parents: ['animal'] }, 'mill', 'fish', 'drink'];

let api: TestApi;
let curator: string;
let foreign: string;
beforeAll(async () => {
  api = await useApi({ MODEL_BUNDLE: TINY_BUNDLE });
  await api.indexedCollection('photos', PHOTOS);
  await api.indexedCollection('others', ['koala']);
  await newVocabulary(api.services.database, LABELS, 'things');
  curator = await api.keyFor('CURATOR', ['photos']);
  foreign = await imageIdOf(api, 'others', 'koala');
  await tagAll();
});

interface Said {
  readonly imageId: string;
  readonly label: string;
  readonly vocabulary?: string;
  readonly verdict: 'ACCEPT' | 'REJECT' | 'CLEAR';
  readonly isSampled?: boolean;
  readonly isManual?: boolean;
}

const REVIEW = `mutation ($verdicts: [TagVerdictInput!]!) {
  reviewTags(input: { verdicts: $verdicts }) {
    changed userErrors { code field message }
    undo { imageId vocabulary label verdict isSampled isManual }
    calibrations { vocabulary label isCalibrated accepted rejected }
  }
}`;
const QUEUE = `query ($order: ReviewOrder, $label: String, $vocabulary: String, $first: Int, $after: String) {
  reviewQueue(collection: "photos", order: $order, label: $label, vocabulary: $vocabulary, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node { label vocabulary score probability threshold isTagged isSampled image { id } tagRun { id } } }
  }
}`;
const REPORT = `{ tagReport(collection: "photos") {
  collection { name } vocabulary { name } vocabularyVersion textModel { name } tagRun { id state } isStale images tags csv
  precision { value low high sampleSize } recall { value low high sampleSize }
  labels {
    label count accepted rejected threshold isCalibrated calibrationError
    precision { value low high sampleSize } recall { value } reliability { probability accepted verdicts }
    confusedWith { label count }
  }
} }`;
const TAGS = `{ images(collection: "photos", first: 100) { edges { node { path tags { label source state } } } } }`;

/** Every label on every image: what is to be reviewed doesn't depend on the tiny models. */
async function tagAll(): Promise<string> {
  const started = await api.query(
    `mutation { startTagRun(input: { collection: "photos", vocabulary: "things", minProbability: 0 }) {
      job { id tagRun { id } } userErrors { message } } }`,
  );
  await api.runJob(textAt(started, 'startTagRun.job.id'));
  return textAt(started, 'startTagRun.job.tagRun.id');
}

/** As `photo label source state`; probabilities, and with them the order, change with what people say. */
async function tags(): Promise<readonly string[]> {
  const answer = await api.query(TAGS);
  const images = valuesAt(answer, 'images.edges.node') as readonly {
    readonly path: string;
    readonly tags: readonly Readonly<Record<'label' | 'source' | 'state', string>>[];
  }[];
  return images
    .flatMap((image) =>
      image.tags.map(({ label, source, state }) => `${image.path} ${label} ${source} ${state}`),
    )
    .sort();
}

function review(verdicts: readonly Said[], key = curator): Promise<Answer> {
  const all = verdicts.map((one) => ({ vocabulary: 'things', ...one }));
  return api.query(REVIEW, { key, variables: { verdicts: all } });
}

const undoOf = (answer: Answer): Said[] => [...valuesAt(answer, 'reviewTags.undo')] as Said[];

interface Item {
  readonly label: string;
  readonly probability: number;
  readonly threshold: number;
  readonly isTagged: boolean;
  readonly isSampled: boolean;
  readonly image: { readonly id: string };
}

async function queue(
  variables: Readonly<Record<string, unknown>>,
): Promise<{ items: Item[]; total: number; end: string }> {
  const answer = await api.query(QUEUE, { key: curator, variables });
  const [total] = valuesAt(answer, 'reviewQueue.totalCount');
  const items = valuesAt(answer, 'reviewQueue.edges.node') as Item[];
  const end = items.length === 0 ? '' : textAt(answer, 'reviewQueue.pageInfo.endCursor');
  return { items, total: Number(total), end };
}

const nameOf = ({ image, label }: Item): string => `${image.id} ${label}`;
const imageOf = (photo: string): Promise<string> => imageIdOf(api, 'photos', photo);

async function codes(answer: Promise<Answer>): Promise<unknown> {
  return valuesAt(await answer, 'reviewTags.userErrors.code')[0];
}

describe('reviewing', () => {
  test('shows at once, wins over later runs, and comes back exactly by undo', async () => {
    const [macaw, mill] = [await imageOf('scarlet-macaw'), await imageOf('windmill')];
    const before = await tags();

    const answer = await review([
      { imageId: macaw, label: 'bird', verdict: 'ACCEPT', isSampled: true },
      { imageId: macaw, label: 'mill', verdict: 'REJECT' },
      { imageId: mill, label: 'animal', verdict: 'REJECT' },
    ]);

    // bird brings animal along, rejecting animal takes the mill's bird along
    expect(valuesAt(answer, 'reviewTags.changed')).toEqual([5]);
    const after = await tags();
    expect(after).not.toEqual(before);
    expect(JSON.stringify(after)).toContain('ACCEPTED');
    const calibrations = valuesAt(answer, 'reviewTags.calibrations');
    expect(calibrations).toHaveLength(3);
    expect(calibrations).toContainEqual({
      ...{ vocabulary: 'things', label: 'bird', isCalibrated: false, accepted: 1, rejected: 1 },
    });

    await tagAll();
    expect(await tags()).toEqual(after); // what was rejected doesn't come back

    const undone = await review(undoOf(answer));
    expect(await tags()).toEqual(before);

    await review(undoOf(undone));
    expect(await tags()).toEqual(after);
    await review(undoOf(answer));
  });

  test('what was set by hand comes back as such by undo', async () => {
    const koala = await imageOf('koala');
    const set = await api.query(
      `mutation ($ids: [ID!]!) { setTags(input: { imageIds: $ids, vocabulary: "things", add: ["drink"] }) { undo { verdict } } }`,
      { variables: { ids: [koala] } },
    );
    expect(valuesAt(set, 'setTags.undo.verdict')).toEqual(['CLEAR']);
    const before = await tags();

    const rejected = await review([{ imageId: koala, label: 'drink', verdict: 'REJECT' }]);
    await review(undoOf(rejected));

    expect(await tags()).toEqual(before);
    await review([{ imageId: koala, label: 'drink', verdict: 'CLEAR' }]);
  });

  test('a keyword is accepted like any tag, and has nothing to be calibrated', async () => {
    const koala = await imageOf('koala');
    const set = await api.query(
      `mutation ($ids: [ID!]!) { setTags(input: { imageIds: $ids, add: ["my favourite"] }) { undo { verdict } } }`,
      { variables: { ids: [koala] } },
    );
    expect(valuesAt(set, 'setTags.undo.verdict')).toEqual(['CLEAR']);

    const keyword = { imageId: koala, vocabulary: 'keywords', label: 'my favourite' };
    const answer = await review([{ ...keyword, verdict: 'REJECT' }]);

    expect(valuesAt(answer, 'reviewTags.changed')).toEqual([1]);
    expect(valuesAt(answer, 'reviewTags.calibrations')).toEqual([]);
    await review([{ ...keyword, verdict: 'CLEAR' }]);
  });

  test('takes a thousand verdicts at once, and not one more', async () => {
    const image = await imageOf('koala');
    const many = (count: number): Said[] =>
      Array.from({ length: count }, () => ({ imageId: image, label: 'fish', verdict: 'ACCEPT' }));

    const answer = await review(many(1000));

    expect(valuesAt(answer, 'reviewTags.changed')).toEqual([1]);
    expect(await codes(review(many(1001)))).toBe('BAD_USER_INPUT');
    expect(await codes(review([]))).toBe('BAD_USER_INPUT');
    await review(undoOf(answer));
  });

  test('refuses images and labels that the key has none of, and names them', async () => {
    const koala = await imageOf('koala');
    const good: Said = { imageId: koala, label: 'fish', verdict: 'REJECT' };

    for (const bad of [
      { ...good, imageId: foreign },
      { ...good, imageId: UNKNOWN_IMAGE },
      { ...good, label: 'unheard of' },
      { ...good, vocabulary: 'unheard of' },
    ]) {
      const answer = await review([good, bad]);
      expect(valuesAt(answer, 'reviewTags.userErrors.code')).toEqual(['NOT_FOUND']);
      const named = Object.values(bad).some((one) => answer.text.includes(`\\"${one}\\"`));
      expect(named).toBe(true);
    }
    expect(await codes(review([good, { ...good, label: 'bird\0' }]))).toBe('NOT_FOUND');
    expect(JSON.stringify(await tags())).not.toContain('ACCEPTED');
  });
});

describe('the queue', () => {
  test('goes by what is least certain', async () => {
    const { items, total } = await queue({ order: 'UNCERTAIN', first: 100 });

    const distances = items.map(({ probability, threshold }) => Math.abs(probability - threshold));
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect(total).toBe(PHOTOS.length * LABELS.length);
    expect(new Set(items.map(nameOf)).size).toBe(items.length);
    expect(items.every(({ isSampled }) => !isSampled)).toBe(true);
  });

  test('goes by what is most probable', async () => {
    const { items } = await queue({
      order: 'BEST',
      label: 'fish',
      vocabulary: 'things',
      first: 100,
    });

    expect(items).toHaveLength(PHOTOS.length);
    expect(new Set(items.map(({ label }) => label))).toEqual(new Set(['fish']));
    const probabilities = items.map(({ probability }) => probability);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
  });

  test('draws, the same way each time, and says so', async () => {
    const [once, again] = [await queue({ order: 'SAMPLED' }), await queue({ order: 'SAMPLED' })];

    expect(once).toEqual(again);
    expect(once.items.every(({ isSampled }) => isSampled)).toBe(true);
  });

  test('by default mixes two drawn ones and a doubtful one, each pair once', async () => {
    const { items, total } = await queue({ first: 100 });

    expect(items.slice(0, 6).map(({ isSampled }) => isSampled)).toEqual([
      ...[true, true, false],
      ...[true, true, false],
    ]);
    expect(new Set(items.map(nameOf)).size).toBe(items.length);
    expect(items).toHaveLength(total);
  });

  test.each(['MIXED', 'UNCERTAIN', 'SAMPLED', 'BEST'])(
    'in order %s, reviewing what a page held does not shift the next',
    async (order) => {
      const all = (await queue({ order, first: 30 })).items.map(nameOf);
      const first = await queue({ order, first: 10 });
      const verdicts = first.items.map(({ image, label }): Said => {
        return { imageId: image.id, label, verdict: 'ACCEPT' };
      });
      const answer = await review(verdicts);

      const second = await queue({ order, first: 20, after: first.end });

      const reviewed = new Set(undoOf(answer).map(({ imageId, label }) => `${imageId} ${label}`));
      expect(second.items.map(nameOf).slice(0, 5)).toEqual(
        all
          .slice(10)
          .filter((name) => !reviewed.has(name))
          .slice(0, 5),
      );
      const rest = (await queue({ order, first: 100 })).items.map(nameOf);
      expect(rest.some((name) => reviewed.has(name))).toBe(false);
      await review(undoOf(answer));
    },
  );

  test('refuses the cursor of another order, a label and a vocabulary that are not there', async () => {
    const { end } = await queue({ order: 'BEST', first: 2 });
    const ask = async (variables: Readonly<Record<string, unknown>>) =>
      (await api.query(QUEUE, { key: curator, variables })).codes;

    expect(await ask({ order: 'SAMPLED', after: end })).toEqual(['BAD_USER_INPUT']);
    expect(await ask({ label: 'unheard of' })).toEqual(['NOT_FOUND']);
    expect(await ask({ label: 'unheard\0of' })).toEqual(['NOT_FOUND']);
    expect(await ask({ vocabulary: 'unheard of' })).toEqual(['NOT_FOUND']);
    expect(await ask({ first: 101 })).toEqual(['BAD_USER_INPUT']);
  });
});

describe('a report', () => {
  test('counts verdicts, estimates precision and says the same as CSV', async () => {
    const { items } = await queue({ order: 'SAMPLED', label: 'fish', first: 100 });
    const verdicts = items.map(({ image, label }, i): Said => {
      return { imageId: image.id, label, verdict: i < 9 ? 'ACCEPT' : 'REJECT', isSampled: true };
    });
    const answer = await review(verdicts);

    const report = await api.query(REPORT);

    expect(report.codes).toEqual([]);
    const [data] = valuesAt(report, 'tagReport') as [Record<string, unknown>];
    expect(data).toMatchObject({
      ...{ collection: { name: 'photos' }, vocabulary: { name: 'things' }, vocabularyVersion: 1 },
      ...{ isStale: false, images: PHOTOS.length, tags: PHOTOS.length * LABELS.length },
      precision: { sampleSize: PHOTOS.length },
    });
    const labels = data['labels'] as Record<string, unknown>[];
    expect(labels.find(({ label }) => label === 'fish')).toMatchObject({
      ...{ count: PHOTOS.length, accepted: 9, rejected: 3, isCalibrated: false, threshold: 0 },
      precision: { value: 0.75, low: 0.75, high: 0.75, sampleSize: 12 }, // all of them were looked at
      calibrationError: expect.any(Number) as unknown,
      confusedWith: expect.arrayContaining([{ label: 'animal', count: 3 }]) as unknown,
    });
    expect(labels.find(({ label }) => label === 'mill')).toMatchObject({
      precision: { value: null, low: 0, high: 1, sampleSize: 0 },
      ...{ recall: null, calibrationError: null, reliability: [] },
    });
    const csv = String(data['csv']).split('\r\n');
    expect(csv[0]).toMatch(/^label,count,threshold,/);
    expect(csv).toHaveLength(LABELS.length + 2);
    expect(csv.find((line) => line.startsWith('fish,'))).toContain('12,0,false,9,3,0.7500');
    await review(undoOf(answer));
  });

  test('of a collection without tags is not there, and says what would make one', async () => {
    const answer = await api.query('{ tagReport(collection: "others") { tags } }');

    expect(answer.codes).toEqual(['NOT_FOUND']);
    expect(answer.text).toContain('startTagRun');
  });
});
