import { PlatformError } from '../../platform/errors.ts';
import type { ImageId } from '../../store/ids.ts';
import type { NewLabel } from '../../store/put-vocabulary.ts';
import type { Queryable } from '../../store/transaction.ts';
import type { VocabularyRecord } from '../../store/vocabularies.ts';
import { readLabels } from '../../store/vocabulary-labels.ts';
import { checkLabels, type WrittenLabel, type WrittenVocabulary } from './vocabulary-input.ts';

/** How images are named outside: by global ids, of which this layer knows nothing. */
export interface ImageNames {
  /** Null when there is no such image, or the asker may not see it. */
  readonly find: (name: string) => Promise<ImageId | null>;
  /** Null when the asker may not see it. */
  readonly nameOf: (id: ImageId) => Promise<string | null>;
}

/** Labels as they are stored. Throws `BAD_USER_INPUT` that names the label, also for an example that isn't there. */
export function toNewLabels(
  labels: readonly WrittenLabel[],
  images: Pick<ImageNames, 'find'>,
): Promise<readonly NewLabel[]> {
  const checked = checkLabels(labels);
  return Promise.all(
    checked.map(async ({ examples, ...label }) => {
      const exampleImageIds = await Promise.all(
        examples.map(async (example) => {
          const id = await images.find(example);
          if (id !== null) return id;
          const message = `The label "${label.name}" has the example "${example.slice(0, 100)}", and there is no such image.`;
          throw new PlatformError('BAD_USER_INPUT', message);
        }),
      );
      return { ...label, exampleImageIds };
    }),
  );
}

/** A version as a file may hold it. Examples that the asker may not see are left out. */
export async function readWritten(
  db: Queryable,
  { id: vocabularyId, name, description }: VocabularyRecord,
  version: number,
  images: Pick<ImageNames, 'nameOf'>,
): Promise<WrittenVocabulary> {
  const labels = await readLabels(db, { vocabularyId, version });
  const names = new Map(labels.map((label) => [label.id, label.name]));
  const written = labels.map(async (label): Promise<WrittenLabel> => {
    const examples = await Promise.all(label.exampleImageIds.map(images.nameOf));
    return {
      ...{ name: label.name, prompts: label.prompts, negativePrompts: label.negativePrompts },
      examples: examples.filter((example) => example !== null),
      threshold: label.threshold,
      parents: label.parentIds.flatMap((parent) => names.get(parent) ?? []),
    };
  });
  return { name, description, labels: await Promise.all(written) };
}

/** A version that a vocabulary has; null: its newest. Throws `NOT_FOUND`. */
export function checkedVersion(vocabulary: VocabularyRecord, version: number | null): number {
  const newest = vocabulary.version;
  if (version === null) return newest;
  if (version >= 1 && version <= newest) return version;
  const message = `"${vocabulary.name}" has versions 1 to ${newest}, no ${version}.`;
  throw new PlatformError('NOT_FOUND', message);
}
