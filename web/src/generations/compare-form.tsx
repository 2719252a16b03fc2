import { useId, useState, type ReactNode } from 'react';
import { SelectField } from '../components/select-field.tsx';
import type { GenerationFactsFragment } from '../generated/operations.ts';
import { CompareAnswers } from './compare-answers.tsx';
import type { Side } from './comparison.ts';
import { generationName, liveOf } from './generation-words.ts';
import { lines } from './reindex-input.ts';
import { useComparison, type ComparisonQuestion } from './use-comparison.ts';

type Generation = GenerationFactsFragment;

/** As many as one asks for at a time: each is two searches. */
const MAX_QUERIES = 20;

/** The same queries to two generations, side by side. */
export function CompareForm({
  collection,
  generations,
}: {
  readonly collection: string;
  /** Those that can be searched, newest first; at least two. */
  readonly generations: readonly [Generation, Generation, ...Generation[]];
}): ReactNode {
  const [chosenLeft, setLeft] = useState<string | null>(null);
  const [chosenRight, setRight] = useState<string | null>(null);
  // What was chosen may have been discarded meanwhile.
  const known = (id: string | null): Generation | undefined =>
    generations.find((it) => it.id === id);
  const left = known(chosenLeft) ?? liveOf(generations) ?? generations[1];
  const others = generations.filter(({ id, state }) => id !== left.id && state !== 'LIVE');
  const right = known(chosenRight) ?? others[0] ?? generations[0];
  const [text, setText] = useState('');
  const [asked, setAsked] = useState<ComparisonQuestion | null>(null);
  const [comparison, compare] = useComparison();
  const queriesId = useId();
  const options = generations.map((it) => [it.id, generationName(it)] as const);

  function ask(): void {
    const queries = lines(text).slice(0, MAX_QUERIES);
    if (queries.length === 0) return;
    const question = { collection, queries, sides: [sideOf(left), sideOf(right)] as const };
    setAsked(question);
    compare(question);
  }

  return (
    <>
      <form
        className="reindex-form"
        aria-label="Compare generations"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <div className="filter-row">
          <SelectField label="Left" value={left.id} options={options} onChange={setLeft} />
          <SelectField label="Right" value={right.id} options={options} onChange={setRight} />
        </div>
        <div className="text-field">
          <label htmlFor={queriesId}>Queries, one a line, at most {MAX_QUERIES}</label>
          <textarea
            id={queriesId}
            className="field"
            rows={3}
            value={text}
            placeholder={'a parrot\na bridge at night'}
            onChange={(event) => {
              setText(event.target.value);
            }}
          />
        </div>
        <div className="action-row">
          <button type="submit" className="button button-primary">
            Compare
          </button>
        </div>
      </form>
      {comparison === null || asked === null ? null : (
        <CompareAnswers comparison={comparison} asked={asked} />
      )}
    </>
  );
}

/** The live one is asked for as such: the API takes the ids of others only. */
function sideOf(generation: Generation): Side {
  return {
    title: `Generation ${generationName(generation)}`,
    generation: generation.state === 'LIVE' ? null : generation.id,
  };
}
