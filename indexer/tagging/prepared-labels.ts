import { createHash } from 'node:crypto';
import { chunk } from '../../platform/chunk.ts';
import { throwIfAborted } from '../../platform/errors.ts';
import { meanEmbedding, normalize, type Embedding } from '../../models/embedding.ts';
import { fillTemplates } from '../../models/text-encoder.ts';
import type { EncodeOptions } from '../../models/image-encoder.ts';
import { hexOf, readEmbeddings } from '../../store/embeddings.ts';
import type { ImageId, TextModelId, VisionSpaceId } from '../../store/ids.ts';
import { findImagesByIds } from '../../store/images.ts';
import { findLabelVectors, putLabelVectors, type LabelVector } from '../../store/label-vectors.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { LabelRecord } from '../../store/vocabularies.ts';
import { NULL_PROMPTS } from './background.ts';

/*
 * What a label's vector is.
 *
 * positive   mean of its prompts' embeddings; without prompts, of the text model's templates around the name: exactly the prototype of
 *            zero-shot classification
 * negatives  normalize(positive − 0.5 · mean of the negative prompts' embeddings)
 * examples   normalize((1 − w) · that + w · mean of the examples' embeddings), w = n ÷ (n + 4) for n examples that still have an
 *            embedding; them alone where there are no prompts and the name isn't sayable ("#1138", "2019")
 *
 * It is kept in `label_vectors` under a hash of all that decides it, so that nothing is encoded twice with a text model.
 */

const NEGATIVE_WEIGHT = 0.5;
/** So many examples weigh as much as the texts. */
const EXAMPLES_LIKE_TEXT = 4;
/** A part of every hash: another one where the rules above change. */
const RULES = 'label 1';
const BACKGROUND_RULES = 'background 1';

export interface PreparedLabels {
  readonly labels: readonly LabelRecord[];
  readonly dimensions: number;
  /** [labels, dimensions], rows of length 1. */
  readonly vectors: Float32Array;
  /** The plain mean of the null prompts' embeddings. */
  readonly background: Float32Array;
  /** Where each is kept. */
  readonly sha256s: readonly Uint8Array[];
}

/** What encodes texts: a `TextEncoder`, or one that lets others pass. */
export interface LabelEncoder {
  readonly dimensions: number;
  /** Around a class name's `{}`. */
  readonly templates: readonly string[];
  encode(
    texts: readonly string[],
    options?: EncodeOptions,
  ): Promise<readonly { readonly embedding: Embedding }[]>;
}

export interface PrepareServices {
  readonly db: Queryable;
  readonly texts: LabelEncoder;
  readonly textModelId: TextModelId;
  readonly visionSpaceId: VisionSpaceId;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of labels that have their vector. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Labels of one transaction: what a kill costs, and 4 MB of texts' embeddings. */
const LABELS_TOGETHER = 500;
/** Texts between two looks at the signal. */
const TEXTS_TOGETHER = 64;

/** The labels' vectors, out of the database or encoded now. Throws `ABORTED`. */
export async function prepareLabels(
  services: PrepareServices,
  labels: readonly LabelRecord[],
  { signal, onProgress }: PrepareOptions = {},
): Promise<PreparedLabels> {
  const { db, textModelId, texts } = services;
  const recipes = await readRecipes(services, labels);
  const sha256s = recipes.map(({ sha256 }) => sha256);
  const found = new Map(await findLabelVectors(db, textModelId, sha256s));
  const missing = recipes.filter(({ sha256 }) => !found.has(hexOf(sha256)));
  let done = labels.length - missing.length;
  for (const some of chunk(missing, LABELS_TOGETHER)) {
    const made = await makeVectors(texts, some, signal);
    await putLabelVectors(db, textModelId, made);
    for (const { sha256, vector } of made) found.set(hexOf(sha256), vector);
    done += some.length;
    onProgress?.(done, labels.length);
  }
  const { dimensions } = texts;
  const vectors = new Float32Array(labels.length * dimensions);
  sha256s.forEach((sha256, i) => {
    vectors.set(found.get(hexOf(sha256)) ?? [], i * dimensions);
  });
  const background = await readBackground({ ...services, getTexts: () => Promise.resolve(texts) });
  return { labels, dimensions, vectors, background, sha256s };
}

interface Recipe {
  /** None: examples alone. */
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  readonly examples: readonly Embedding[];
  readonly sha256: Uint8Array;
}

async function readRecipes(
  services: PrepareServices,
  labels: readonly LabelRecord[],
): Promise<readonly Recipe[]> {
  const embeddings = await readExamples(services, labels);
  return labels.map(({ name, prompts, negativePrompts: negative, exampleImageIds }) => {
    const examples = exampleImageIds.flatMap((id) => embeddings.get(id) ?? []);
    const ofName = fillTemplates(services.texts.templates, name);
    const isSilent = prompts.length === 0 && examples.length > 0 && !isSayable(name);
    const positive = isSilent ? [] : prompts.length > 0 ? prompts : ofName;
    const hash = createHash('sha256').update(JSON.stringify([RULES, positive, negative]));
    for (const example of examples) hash.update(bytesOf(example));
    return { positive, negative, examples, sha256: hash.digest() };
  });
}

async function readExamples(
  { db, visionSpaceId }: PrepareServices,
  labels: readonly LabelRecord[],
): Promise<ReadonlyMap<ImageId, Embedding>> {
  const ids = [...new Set(labels.flatMap(({ exampleImageIds }) => exampleImageIds))];
  if (ids.length === 0) return new Map();
  const images = await findImagesByIds(db, ids);
  const vectors = await readEmbeddings(
    db,
    visionSpaceId,
    images.map(({ sha256 }) => sha256),
  );
  return new Map(
    images.flatMap(({ id, sha256 }) => {
      const vector = vectors.get(hexOf(sha256));
      return vector === undefined ? [] : [[id, normalize(vector)] as const];
    }),
  );
}

/** Whether a text model can make something of a name: it has a word, not only numbers and codes. */
export function isSayable(name: string): boolean {
  const words = name.split(/[^\p{L}\p{M}\p{N}]+/u);
  return words.some((word) => /^\p{L}[\p{L}\p{M}]+$/u.test(word) || /\p{Lo}/u.test(word));
}

async function makeVectors(
  texts: LabelEncoder,
  recipes: readonly Recipe[],
  signal: AbortSignal | undefined,
): Promise<readonly LabelVector[]> {
  const needed = recipes.flatMap(({ positive, negative }) => [...positive, ...negative]);
  const embeddings = await encodeAll(texts, needed, signal);
  const of = (some: readonly string[]): Embedding[] =>
    some.flatMap((text) => embeddings.get(text) ?? []);
  return recipes.map(({ positive, negative, examples, sha256 }) => {
    const vector = vectorOf({ positive: of(positive), negative: of(negative), examples });
    return { sha256, vector };
  });
}

/** Each text once; those of like length together, so that little is padding. */
async function encodeAll(
  texts: LabelEncoder,
  needed: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Embedding>> {
  const distinct = [...new Set(needed)].sort((a, b) => a.length - b.length);
  const found = new Map<string, Embedding>();
  for (const some of chunk(distinct, TEXTS_TOGETHER)) {
    throwIfAborted(signal);
    const encoded = await texts.encode(some, { signal });
    encoded.forEach(({ embedding }, i) => found.set(some[i] ?? '', embedding));
  }
  return found;
}

interface Parts {
  readonly positive: readonly Embedding[];
  readonly negative: readonly Embedding[];
  readonly examples: readonly Embedding[];
}

/** The rules at the top of this file. */
export function vectorOf({ positive, negative, examples }: Parts): Embedding {
  const text = positive.length === 0 ? null : meanEmbedding(positive);
  const against = negative.length === 0 ? null : plainMean(negative);
  const said = text && against ? mix(text, 1, against, -NEGATIVE_WEIGHT) : text;
  if (examples.length === 0) return said ?? meanEmbedding(positive);
  const shown = plainMean(examples);
  if (said === null) {
    return against ? mix(normalize(shown), 1, against, -NEGATIVE_WEIGHT) : normalize(shown);
  }
  const weight = examples.length / (examples.length + EXAMPLES_LIKE_TEXT);
  return mix(said, 1 - weight, shown, weight);
}

function mix(a: Float32Array, weightOfA: number, b: Float32Array, weightOfB: number): Embedding {
  return normalize(a.map((value, i) => weightOfA * value + weightOfB * (b[i] ?? 0)));
}

function plainMean(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) {
    vector.forEach((value, i) => (mean[i] = (mean[i] ?? 0) + value / vectors.length));
  }
  return mean;
}

/** The background, kept as labels' vectors are. `getTexts` is asked only when it isn't there. */
export async function readBackground({
  db,
  textModelId,
  getTexts,
}: Pick<PrepareServices, 'db' | 'textModelId'> & {
  readonly getTexts: () => Promise<LabelEncoder>;
}): Promise<Float32Array> {
  const key = JSON.stringify([BACKGROUND_RULES, NULL_PROMPTS]);
  const sha256 = createHash('sha256').update(key).digest();
  const found = (await findLabelVectors(db, textModelId, [sha256])).get(hexOf(sha256));
  if (found) return found;
  const encoded = await (await getTexts()).encode(NULL_PROMPTS);
  const vector = plainMean(encoded.map(({ embedding }) => embedding));
  await putLabelVectors(db, textModelId, [{ sha256, vector }]);
  return vector;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
