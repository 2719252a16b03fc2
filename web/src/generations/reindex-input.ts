import type { StartReindexInput } from '../generated/operations.ts';

/** What is written into the form. */
export interface ReindexWish {
  readonly collection: string;
  /** Id of the vision space. */
  readonly visionSpace: string;
  /** Queries that must work, one a line. */
  readonly canaries: string;
}

export function reindexInput(
  { collection, visionSpace, canaries }: ReindexWish,
  dryRun: boolean,
): StartReindexInput {
  const texts = lines(canaries);
  return {
    collection,
    visionSpace,
    dryRun,
    ...(texts.length === 0 ? {} : { canaries: texts.map((text) => ({ text })) }),
  };
}

/** Lines with something on them, each once. */
export function lines(text: string): readonly string[] {
  const trimmed = text.split('\n').map((line) => line.trim());
  return [...new Set(trimmed.filter((line) => line !== ''))];
}
