import type { TagRunInput } from '../generated/operations.ts';

/** What is written into the form. */
export interface RunWish {
  readonly collection: string;
  readonly vocabulary: string;
  /** Texts, as they are typed. */
  readonly maxTagsPerImage: string;
  readonly minTagsPerImage: string;
  readonly minProbability: string;
}

export const USUAL_WISH = {
  maxTagsPerImage: '5',
  minTagsPerImage: '0',
  minProbability: '0.5',
} as const;

/** What the API is asked for, or what is wrong with what was written. */
export function runInput(
  wish: RunWish,
):
  | { readonly input: TagRunInput; readonly fault: null }
  | { readonly input: null; readonly fault: string } {
  const most = wholeNumber(wish.maxTagsPerImage, 1, 100);
  if (most === null) return wrong('“At most” is a whole number from 1 to 100.');
  const least = wholeNumber(wish.minTagsPerImage, 0, most);
  if (least === null) return wrong(`“At least” is a whole number from 0 to ${most}.`);
  const probability = Number(wish.minProbability.replace(',', '.'));
  if (wish.minProbability.trim() === '' || !(probability >= 0 && probability <= 1)) {
    return wrong('The probability is a number from 0 to 1.');
  }
  const { collection, vocabulary } = wish;
  const input = {
    ...{ collection, vocabulary, minProbability: probability },
    ...{ maxTagsPerImage: most, minTagsPerImage: least },
  };
  return { input, fault: null };
}

function wrong(fault: string): { readonly input: null; readonly fault: string } {
  return { input: null, fault };
}

function wholeNumber(text: string, least: number, most: number): number | null {
  const number = Number(text);
  const isRight = text.trim() !== '' && Number.isInteger(number);
  return isRight && number >= least && number <= most ? number : null;
}
