import { useId, useState, type ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { SelectField } from '../components/select-field.tsx';
import type { GenerationsQuery, JobFactsFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { START_REINDEX } from '../graphql/generation-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import { ReindexPlan } from './reindex-plan.tsx';
import { StartedReindex } from './started-reindex.tsx';
import { reindexInput } from './reindex-input.ts';
import '../components/text-field.css';
import './reindex-form.css';

type VisionSpace = GenerationsQuery['visionSpaces'][number];

/** Starts a reindex in two steps: a dry run shows what it would do, then it is started as it was planned. */
export function ReindexForm({
  collection,
  visionSpaces,
  complete,
  onChange,
}: {
  readonly collection: string;
  /** At least one, all available. */
  readonly visionSpaces: readonly [VisionSpace, ...VisionSpace[]];
  /** Ids of those that the collection has a complete generation in. */
  readonly complete: ReadonlySet<string>;
  /** Called when there may be another generation, or another state of one. */
  readonly onChange: () => void;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const [visionSpace, setVisionSpace] = useState(
    () => (visionSpaces.find(({ id }) => !complete.has(id)) ?? visionSpaces[0]).id,
  );
  const [canaries, setCanaries] = useState('');
  const [dryRun, setDryRun] = useState<JobFactsFragment | null>(null);
  const [started, setStarted] = useState<JobFactsFragment | null>(null);
  const canariesId = useId();
  const wish = { collection, visionSpace, canaries };

  function send(isDryRun: boolean, succeed: (job: JobFactsFragment | null) => void): void {
    setStarted(null);
    run(
      async () => {
        const input = reindexInput(wish, isDryRun);
        return (await client.execute(START_REINDEX, { input })).startReindex;
      },
      ({ job }) => {
        succeed(job);
      },
    );
  }

  return (
    <form
      className="reindex-form"
      aria-label="Start a reindex"
      onSubmit={(event) => {
        event.preventDefault();
        send(true, setDryRun);
      }}
    >
      <SelectField
        label="Vision space"
        value={visionSpace}
        options={visionSpaces.map(({ id, name, dimensions }) => [
          id,
          `${name}, ${dimensions} dimensions`,
        ])}
        onChange={(id) => {
          setVisionSpace(id);
          setDryRun(null);
        }}
      />
      <p className="panel-note">
        {complete.has(visionSpace)
          ? 'There is a complete generation in this vision space: its vectors are replaced one by one, and no other generation is made.'
          : 'A new generation is built beside the live one, which goes on answering.'}
      </p>
      <div className="text-field">
        <label htmlFor={canariesId}>Queries that must work, one a line (optional)</label>
        <textarea
          id={canariesId}
          className="field"
          rows={3}
          value={canaries}
          placeholder={'a parrot\na bridge at night'}
          onChange={(event) => {
            setCanaries(event.target.value);
            setDryRun(null);
          }}
        />
      </div>
      <p className="panel-note">
        Of each query&rsquo;s first ten images in the live generation, one must be among the first
        ten of the new one.
      </p>
      <div className="action-row">
        <button type="submit" className="button" aria-disabled={isBusy}>
          Show the plan
        </button>
      </div>
      {dryRun === null ? null : (
        <ReindexPlan
          loaded={dryRun}
          isBusy={isBusy}
          onStart={() => {
            send(false, (job) => {
              setDryRun(null);
              setStarted(job);
            });
          }}
        />
      )}
      <Faults faults={faults} />
      <div role="status">
        {started === null ? null : <StartedReindex loaded={started} onChange={onChange} />}
      </div>
    </form>
  );
}
