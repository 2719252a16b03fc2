import { formatPercent } from '../components/number-words.ts';
import type { ReviewOrder } from '../generated/operations.ts';
import type { Decision, ReviewItem } from './review-session.ts';

export const ORDER_NAMES: Readonly<Record<ReviewOrder, string>> = {
  UNCERTAIN: 'Doubtful first',
  SAMPLED: 'Drawn at random',
  BEST: 'Most probable first',
};

export const ORDER_NOTES: Readonly<Record<ReviewOrder, string>> = {
  UNCERTAIN: 'Nearest to the threshold first: each click teaches most about the label.',
  SAMPLED: 'What the report’s precision and recall are measured with.',
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
