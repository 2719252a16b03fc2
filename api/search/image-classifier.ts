import { PlatformError } from '../../platform/errors.ts';
import { cosine, type Embedding } from '../../models/embedding.ts';
import type { TextEmbeddings } from './text-embeddings.ts';

export interface ScoredLabel {
  readonly label: string;
  /** Cosine. */
  readonly score: number;
  /** Softmax over the given labels; adds up to 1. */
  readonly share: number;
}

/** exp(2.6592), the logit scale that projectors are trained with (arXiv 2410.07173). */
const LOGIT_SCALE = Math.exp(2.6592);
const MOST_LABELS = 200;
const LONGEST_LABEL = 200;

/** Labels with their vectors, which images are compared with. */
export interface Classes {
  readonly names: readonly string[];
  readonly vectors: readonly Embedding[];
}

/** Throws `BAD_USER_INPUT`. */
export async function encodeLabels(
  texts: TextEmbeddings,
  labels: readonly string[],
): Promise<Classes> {
  const names = checkLabels(labels);
  return { names, vectors: await texts.encodeClasses(names) };
}

/** Which of the labels an image shows best, best first; equal ones in the order given. */
export function classify(image: Embedding, { names, vectors }: Classes): readonly ScoredLabel[] {
  const scores = vectors.map((vector) => cosine(image, vector));
  const best = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(LOGIT_SCALE * (score - best)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return names
    .map((label, i) => ({ label, score: scores[i] ?? 0, share: (weights[i] ?? 0) / sum }))
    .sort((a, b) => b.score - a.score);
}

/** Trimmed, each once. */
function checkLabels(labels: readonly string[]): readonly string[] {
  const names = [...new Set(labels.map((label) => label.trim().normalize('NFC')))];
  const isFine = names.every((name) => name !== '' && name.length <= LONGEST_LABEL);
  if (isFine && names.length >= 1 && labels.length <= MOST_LABELS) return names;
  const limits = `1 to ${MOST_LABELS} labels of 1 to ${LONGEST_LABEL} characters`;
  throw new PlatformError('BAD_USER_INPUT', `"labels" takes ${limits}.`);
}
