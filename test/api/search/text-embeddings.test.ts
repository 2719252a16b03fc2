import { expect, test } from '@jest/globals';
import { TextEmbeddings } from '../../../api/search/text-embeddings.ts';
import { normalize, type Embedding } from '../../../models/embedding.ts';
import { PlatformError } from '../../../platform/errors.ts';
import { rejection, withCode } from '../../support/errors.ts';

/** A text's embedding is how often each of a few letters occurs in it; "!" can't be read. */
class LetterEncoder {
  readonly textModel = 'letters';
  readonly visionSpace = 'letters';
  readonly dimensions = 4;
  readonly templates = ['{}'];
  readonly batches: string[][] = [];

  encode(texts: readonly string[]): Promise<{ embedding: Embedding }[]> {
    this.batches.push([...texts]);
    if (texts.includes('!'))
      return Promise.reject(new PlatformError('EMPTY_TEXT', 'Nothing there.'));
    return Promise.resolve(texts.map((text) => ({ embedding: embeddingOf(text) })));
  }

  async encodeClasses(names: readonly string[]): Promise<Embedding[]> {
    return (await this.encode(names)).map(({ embedding }) => embedding);
  }
}

function embeddingOf(text: string): Embedding {
  return normalize(
    Float32Array.from('abcd', (letter) => text.split('').filter((one) => one === letter).length),
  );
}

function create() {
  const encoder = new LetterEncoder();
  return { encoder, texts: new TextEmbeddings(encoder) };
}

test('a text is encoded once, also while it is being encoded', async () => {
  const { encoder, texts } = create();

  await Promise.all([texts.encode('ab'), texts.encode(' ab '), texts.encode('ab')]);
  const again = await texts.encode('ab');

  expect(encoder.batches).toEqual([['ab']]);
  expect(again).toEqual(embeddingOf('ab'));
});

test('texts that wait at the same time go through the model together', async () => {
  const { encoder, texts } = create();

  const found = await Promise.all(['a', 'b', 'cd'].map((text) => texts.encode(text)));

  expect(encoder.batches).toEqual([['a', 'b', 'cd']]);
  expect(found).toEqual(['a', 'b', 'cd'].map(embeddingOf));
});

test('a text that fails harms none it came with, and is tried again when asked again', async () => {
  const { encoder, texts } = create();

  const [good, bad] = await Promise.allSettled([texts.encode('a'), texts.encode('!')]);

  expect(good).toMatchObject({ status: 'fulfilled', value: embeddingOf('a') });
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'EMPTY_TEXT' } });
  expect(await rejection(texts.encode('!'))).toMatchObject(withCode('EMPTY_TEXT'));
  expect(encoder.batches.at(-1)).toEqual(['!']);
});

test('a text of more than 2,000 characters is refused', async () => {
  const { texts } = create();

  expect(await rejection(texts.encode('a'.repeat(2001)))).toMatchObject(withCode('BAD_USER_INPUT'));
});

test('a class is encoded once, and keeps its place', async () => {
  const { encoder, texts } = create();

  await texts.encodeClasses(['a', 'b']);
  const found = await texts.encodeClasses(['c', 'b', 'a']);

  expect(encoder.batches).toEqual([['a', 'b'], ['c']]);
  expect(found).toEqual(['c', 'b', 'a'].map(embeddingOf));
});
