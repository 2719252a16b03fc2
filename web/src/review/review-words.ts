import { formatPercent } from '../components/number-words.ts';
import type { ReviewOrder } from '../generated/operations.ts';
import type { Decision, ReviewItem } from './review-session.ts';

export const ORDER_NAMES: Readonly<Record<ReviewOrder, string>> = {
  MIXED: 'What teaches most',
  SAMPLED: 'Drawn at random',
  UNCERTAIN: 'Doubtful first',
  BEST: 'Most probable first',
};

export const ORDER_NOTES: Readonly<Record<ReviewOrder, string>> = {
  MIXED:
    'Two drawn at random, one doubtful, and so on: right probabilities after the fewest clicks.',
  SAMPLED: 'Some of every probability: what the report’s precision and recall are measured with.',
  UNCERTAIN: 'Nearest to the threshold first, to sort out what is doubtful.',
  BEST: 'From the most probable down.',
};

/** Keys and what they do, as the page shows them. */
export const KEYS: readonly (readonly [string, string])[] = [
  ['← ↑ → ↓', 'move'],
  ['A', 'it shows that'],
  ['R', 'it doesn’t'],
  ['S', 'skip'],
  ['X', 'mark'],
  ['Shift + arrow', 'mark along'],
  ['U', 'undo'],
  ['Enter', 'look closer'],
];

/** What a person is asked about a tag. */
export function questionOf({ label, probability, isTagged }: ReviewItem): string {
  const chance = formatPercent(probability);
  return isTagged ? `${label}, ${chance}.` : `${label}, ${chance}, left out. Was that wrong?`;
}

export const DECIDED: Readonly<Record<Decision, string>> = {
  ACCEPT: 'Accepted.',
  REJECT: 'Rejected.',
  SKIP: 'Skipped.',
};
