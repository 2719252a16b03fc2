import { expect, test } from '@jest/globals';
import { isSayable, prepareLabels, vectorOf } from '../../../indexer/tagging/prepared-labels.ts';
import { registerBundle } from '../../../indexer/collections.ts';
import { Bundle } from '../../../models/bundle.ts';
import { cosine, meanEmbedding, type Embedding } from '../../../models/embedding.ts';
import { TextEncoder } from '../../../models/text-encoder.ts';
import type { EncodeOptions } from '../../../models/image-encoder.ts';
import { asVocabularyId, asLabelId, type ImageId } from '../../../store/ids.ts';
import type { LabelRecord } from '../../../store/vocabularies.ts';
import { TINY_BUNDLE } from '../../support/bundles.ts';
import { closeBeforeDatabase, useDatabase } from '../../support/database.ts';
import { rejection, withCode } from '../../support/errors.ts';
import { indexed, newIndex, vectorOf as contentVector } from '../../support/rows.ts';

const database = await useDatabase();
const { pool } = database;
const bundle = await Bundle.open(TINY_BUNDLE);
const encoder = await TextEncoder.load(bundle, { sessions: 1 });
closeBeforeDatabase(() => encoder.dispose());
const { textModel, visionSpace } = await registerBundle(database, bundle);
const ids = { textModelId: textModel?.id as never, visionSpaceId: visionSpace.id };

let encodedTexts = 0;
const texts = {
  dimensions: encoder.dimensions,
  templates: encoder.templates,
  encode: (some: readonly string[], options?: EncodeOptions) => {
    encodedTexts += some.length;
    return encoder.encode(some, options);
  },
};

let count = 0;

function label(overrides: Partial<LabelRecord>): LabelRecord {
  count++;
  return {
    ...{ id: asLabelId(count), vocabularyId: asVocabularyId(''), version: 1, position: count },
    ...{ name: `label ${count}`, prompts: [], negativePrompts: [], exampleImageIds: [] },
    ...{ threshold: null, parentIds: [], ...overrides },
  };
}

function rowOf(vectors: Float32Array, row: number): Embedding {
  return vectors.slice(row * texts.dimensions, (row + 1) * texts.dimensions) as Embedding;
}

function expectSame(a: Float32Array, b: Float32Array): void {
  expect(a).toHaveLength(b.length);
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i] ?? 0, 5);
  });
}

test('a label with a name alone is the prototype of zero-shot classification', async () => {
  const names = ['dog', 'two words', 'a rather longer name of a thing'];

  const { vectors } = await prepareLabels(
    { db: pool, texts, ...ids },
    names.map((name) => label({ name })),
  );

  const classes = await encoder.encodeClasses(names);
  names.forEach((_, row) => {
    expectSame(rowOf(vectors, row), classes[row] ?? new Float32Array());
  });
});

test('prompts are taken as they are, and averaged', async () => {
  const prompts = ['a black cat', 'cats asleep', 'the eye of a cat'];

  const { vectors } = await prepareLabels({ db: pool, texts, ...ids }, [label({ prompts })]);

  const encoded = await encoder.encode(prompts);
  expectSame(vectors, meanEmbedding(encoded.map(({ embedding }) => embedding)));
});

test('nothing is encoded twice, whatever else of a label changes', async () => {
  const labels = [label({ name: 'tree' }), label({ prompts: ['moss'] })];
  const first = await prepareLabels({ db: pool, texts, ...ids }, labels);
  encodedTexts = 0;

  const again = await prepareLabels(
    { db: pool, texts, ...ids },
    labels.map((one) => ({ ...one, id: asLabelId(one.id + 100), threshold: 0.9 })),
  );

  expect(encodedTexts).toBe(0);
  expect(again.vectors).toEqual(first.vectors);
  expect(again.background).toEqual(first.background);
});

test('negative prompts push it away, examples draw it to them', async () => {
  const [positive, negative, example] = (
    await encoder.encode(['a dog', 'a photo of a wolf', 'a red boat at sea'])
  ).map(({ embedding }) => embedding) as [Embedding, Embedding, Embedding];
  const plain = vectorOf({ positive: [positive], negative: [], examples: [] });

  const away = vectorOf({ positive: [positive], negative: [negative], examples: [] });
  const drawn = vectorOf({ positive: [positive], negative: [], examples: [example] });
  const alone = vectorOf({ positive: [], negative: [], examples: [example] });

  expectSame(plain, positive);
  expect(cosine(away, negative)).toBeLessThan(cosine(plain, negative));
  expect(cosine(drawn, example)).toBeGreaterThan(cosine(plain, example));
  expectSame(alone, example);
});

test('examples stand alone only where there is nothing to say', async () => {
  const key = await newIndex(database);
  const imageIds = await indexed(database, key, ['one', 'two']);
  const narrow = {
    ...{ dimensions: 4, templates: ['{}'] },
    encode: (some: readonly string[]) =>
      Promise.resolve(some.map((text) => ({ embedding: contentVector(text) as Embedding }))),
  };
  const services = { db: pool, texts: narrow, ...ids, visionSpaceId: key.visionSpaceId };
  const gone = [999_999n as ImageId];

  const { vectors } = await prepareLabels(services, [
    label({ name: '#1138', exampleImageIds: imageIds }),
    label({ name: 'thing', exampleImageIds: imageIds }),
    label({ name: '#1139', exampleImageIds: gone }),
  ]);

  const mean = meanEmbedding(['one', 'two'].map((content) => contentVector(content) as Embedding));
  expectSame(vectors.slice(0, 4), mean);
  expect(cosine(vectors.slice(4, 8) as Embedding, mean)).toBeLessThan(0.9999);
  expectSame(vectors.slice(8, 12), contentVector('#1139'));
});

test('names of words are sayable, numbers and codes are not', () => {
  const sayable = ['dog', 'two words', 'café', '犬', 'IMG day', "rock'n'roll", 'собака'];
  const not = ['', '2019', '#1138', 'A1', 'x', '12-34', '😀'];

  expect(sayable.filter((name) => !isSayable(name))).toEqual([]);
  expect(not.filter(isSayable)).toEqual([]);
});

test('it stops when it is told to', async () => {
  const labels = Array.from({ length: 50 }, () => label({}));

  const error = await rejection(
    prepareLabels({ db: pool, texts, ...ids }, labels, { signal: AbortSignal.abort() }),
  );

  expect(error).toMatchObject(withCode('ABORTED'));
});
