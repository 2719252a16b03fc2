import { z } from 'zod';
import type { Embedding } from '../../models/embedding.ts';
import type { GenerationCheck } from '../../store/generations.ts';
import type { ThreadIndex } from '../vector-index/thread-index.ts';

export const MAX_CANARIES = 100;

/** A query whose answer is known. Bounds as the schema's CanaryInput says. */
export const canary = z
  .object({
    text: z.string().trim().min(1).max(2000),
    /** Ids of images, one of which must be there; null: what the live generation gives. */
    imageIds: z.array(z.string().regex(/^\d+$/)).min(1).nullable(),
    within: z.int().min(1).max(100),
    atLeast: z.int().min(1).max(100),
  })
  .refine(({ atLeast, within }) => atLeast <= within);

export type Canary = z.output<typeof canary>;

export type FindText = (fingerprint: string) => Promise<{
  encode(texts: readonly string[]): Promise<readonly { readonly embedding: Embedding }[]>;
} | null>;

/** A generation to ask. */
export interface Asked {
  readonly index: ThreadIndex;
  /** Fingerprint; null: none is known. */
  readonly textModel: string | null;
}

/** A check for each query, with the text model that the generation would be searched with. `live`: null when no canary asks for it. */
export async function checkCanaries(
  canaries: readonly Canary[],
  { built, live, findText }: { built: Asked; live: Asked | null; findText: FindText },
): Promise<readonly GenerationCheck[]> {
  if (canaries.length === 0) return [];
  const texts = canaries.map(({ text }) => text);
  const queries = await encode(findText, built.textModel, texts);
  const liveQueries = live && (await encode(findText, live.textModel, texts));
  const checks: GenerationCheck[] = [];
  for (const [i, one] of canaries.entries()) {
    const expected = await findExpected(one, live, liveQueries?.[i] ?? null);
    const query = queries?.[i] ?? null;
    const result =
      query === null || expected === null
        ? { passed: false, detail: 'No model bundle here has the text model to ask with.' }
        : await check(one, query, expected, built.index);
    checks.push({ name: `canary: ${one.text.slice(0, 100)}`, ...result });
  }
  return checks;
}

/** Null: it isn't known. */
async function encode(
  findText: FindText,
  textModel: string | null,
  texts: readonly string[],
): Promise<readonly Embedding[] | null> {
  const encoder = textModel === null ? null : await findText(textModel);
  return encoder && (await encoder.encode(texts)).map(({ embedding }) => embedding);
}

/** What is to be found: the given images, or what the live generation gives. Null: it can't be asked. */
async function findExpected(
  { imageIds, within }: Canary,
  live: Asked | null,
  query: Embedding | null,
): Promise<ReadonlySet<bigint> | null> {
  if (imageIds !== null) return new Set(imageIds.map(BigInt));
  if (live === null || query === null) return null;
  return new Set((await live.index.search(query, within, { exact: true })).ids);
}

async function check(
  { imageIds, within, atLeast }: Canary,
  query: Embedding,
  expected: ReadonlySet<bigint>,
  index: ThreadIndex,
): Promise<{ passed: boolean; detail: string }> {
  const { ids } = await index.search(query, within, { exact: true });
  if (imageIds === null) {
    const found = ids.filter((id) => expected.has(id)).length;
    const least = Math.min(atLeast, expected.size);
    const detail = `${found} of the live generation's first ${expected.size} are among the first ${within}; at least ${least} have to be.`;
    return { passed: found >= least, detail };
  }
  const rank = ids.findIndex((id) => expected.has(id)) + 1;
  const missing = `None of the ${expected.size} expected images is among the first ${within}.`;
  return { passed: rank > 0, detail: rank > 0 ? `An expected image has rank ${rank}.` : missing };
}
