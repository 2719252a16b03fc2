import type { TagRunState } from '../generated/operations.ts';

/** What the page calls the states of runs and what they were asked for. */

export const RUN_STATE_NAMES: Readonly<Record<TagRunState, string>> = {
  RUNNING: 'Running',
  APPLIED: 'Applied',
  REVERTED: 'Reverted',
  ABANDONED: 'Abandoned',
};

/** `at most 5 an image, from a probability of 0.5 on`. */
export function optionWords(options: unknown): string {
  const { maxTagsPerImage, minTagsPerImage, minProbability, filter } = asObject(options);
  const parts = [
    ...(isNumber(maxTagsPerImage) ? [`at most ${maxTagsPerImage} an image`] : []),
    ...(isNumber(minTagsPerImage) && minTagsPerImage > 0 ? [`at least ${minTagsPerImage}`] : []),
    ...(isNumber(minProbability) ? [`from a probability of ${minProbability} on`] : []),
    ...(Object.keys(filter ?? {}).length === 0 ? [] : ['only some images']),
  ];
  return parts.length === 0 ? 'the usual ones' : parts.join(', ');
}

type OptionName = 'maxTagsPerImage' | 'minTagsPerImage' | 'minProbability' | 'filter';

function asObject(value: unknown): Readonly<Partial<Record<OptionName, unknown>>> {
  return typeof value === 'object' && value !== null ? value : {};
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
