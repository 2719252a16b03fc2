import { useRef, type ReactNode } from 'react';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { Faults } from '../components/faults.tsx';
import type { GenerationFactsFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import {
  DISCARD_GENERATION,
  PROMOTE_GENERATION,
  ROLLBACK_GENERATION,
} from '../graphql/generation-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import { forgetResults } from '../results/use-results.ts';
import { useFocusWhenButtonGoes } from '../use-focus-when-button-goes.ts';
import {
  formerOf,
  isDiscardable,
  isPromotable,
  liveOf,
  textModelName,
} from './generation-words.ts';

type Generation = GenerationFactsFragment;

interface Props {
  readonly generation: Generation;
  readonly collection: string;
  /** All of the collection. */
  readonly generations: readonly Generation[];
  readonly onChange: () => void;
}

/** The buttons of a generation, for administrators. */
export function GenerationActions({
  generation,
  collection,
  generations,
  onChange,
}: Props): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const former = formerOf(generations);
  const { id, number } = generation;
  const row = useRef<HTMLDivElement>(null);
  useFocusWhenButtonGoes(row, `${generation.state} ${generation.discardedAt ?? ''}`);
  const succeed = (): void => {
    forgetResults(); // searches may go through another generation from now on
    onChange();
  };

  return (
    <>
      <div ref={row} className="action-row" tabIndex={-1}>
        {!isPromotable(generation) || id === former?.id ? null : (
          <ConfirmButton
            label="Promote"
            question={`Make generation ${number} live?`}
            isBusy={isBusy}
            onConfirm={() => {
              run(
                async () => (await client.execute(PROMOTE_GENERATION, { id })).promoteGeneration,
                succeed,
              );
            }}
          >
            <PromotionWords {...{ generation, collection, generations }} />
          </ConfirmButton>
        )}
        {id !== former?.id ? null : (
          <ConfirmButton
            label="Roll back to this"
            question={`Go back to generation ${number}?`}
            isBusy={isBusy}
            onConfirm={() => {
              run(
                async () =>
                  (await client.execute(ROLLBACK_GENERATION, { collection })).rollbackGeneration,
                succeed,
              );
            }}
          >
            <SwitchWords {...{ generation, collection, generations }} />
          </ConfirmButton>
        )}
        {!isDiscardable(generation) ? null : (
          <ConfirmButton
            label="Discard"
            question={`Give generation ${number} up?`}
            isBusy={isBusy}
            onConfirm={() => {
              run(
                async () => (await client.execute(DISCARD_GENERATION, { id })).discardGeneration,
                succeed,
              );
            }}
          >
            <p>
              It takes no new images any more. Its index entries, and embeddings that nothing else
              uses, are deleted. This can&rsquo;t be undone; images and searches stay as they are.
            </p>
          </ConfirmButton>
        )}
      </div>
      <Faults faults={faults} />
    </>
  );
}

type Words = Omit<Props, 'onChange'>;

function PromotionWords(props: Words): ReactNode {
  const former = formerOf(props.generations);
  return (
    <>
      <SwitchWords {...props} />
      {former === null ? null : (
        <p>Generation {former.number}, which was kept for a roll-back until now, is discarded.</p>
      )}
    </>
  );
}

function SwitchWords({ generation, collection, generations }: Words): ReactNode {
  const live = liveOf(generations);
  return (
    <p>
      From then on searches of {collection} go through it, with the text model{' '}
      {textModelName(generation.textModel)}.
      {live === null
        ? null
        : ` Generation ${live.number} is retired and kept up to date, so that you can go back to it.`}
    </p>
  );
}
