import type { GenerationFactsFragment, GenerationState } from '../generated/operations.ts';

/** What the page calls the states of generations, and what can be done with which. */

export const GENERATION_STATE_NAMES: Readonly<Record<GenerationState, string>> = {
  BUILDING: 'Building',
  READY: 'Ready',
  LIVE: 'Live',
  RETIRED: 'Retired',
  FAILED: 'Failed',
};

type Generation = GenerationFactsFragment;

export function liveOf(generations: readonly Generation[]): Generation | null {
  return generations.find(({ state }) => state === 'LIVE') ?? null;
}

/** What a roll-back returns to: of those that were live and are kept, the one that was live last. */
export function formerOf(generations: readonly Generation[]): Generation | null {
  const kept = generations.filter((it) => it.state === 'RETIRED' && it.discardedAt === null);
  return kept.reduce<Generation | null>(
    (last, it) => (last === null || (it.retiredAt ?? '') > (last.retiredAt ?? '') ? it : last),
    null,
  );
}

export function isPromotable({ state, discardedAt }: Generation): boolean {
  return (state === 'READY' || state === 'RETIRED') && discardedAt === null;
}

/** One that is being built isn't: its job is cancelled first. */
export function isDiscardable({ state, discardedAt }: Generation): boolean {
  return state !== 'LIVE' && state !== 'BUILDING' && discardedAt === null;
}

/** Whether its images can be searched for. */
export function isSearchable(generation: Generation): boolean {
  return generation.state === 'LIVE' || isPromotable(generation);
}

/** `2 (Ready): tiny-b`. */
export function generationName({ number, visionSpace, state }: Generation): string {
  return `${number} (${GENERATION_STATE_NAMES[state]}): ${visionSpace.name}`;
}

export function textModelName(model: Generation['textModel']): string {
  return model === null ? 'none that is known' : `${model.name}@${model.version}`;
}
