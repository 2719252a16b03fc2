import { useState, type ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { TextField } from '../components/text-field.tsx';
import type { JobFactsFragment, PreviewTagRunMutation } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { PREVIEW_TAG_RUN, START_TAG_RUN } from '../graphql/tag-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import { StartedJob } from '../jobs/started-job.tsx';
import { runInput, USUAL_WISH, type RunWish } from './run-wish.ts';
import { TagPreview } from './tag-preview.tsx';
import './tag-run-form.css';

/** Says what a run would do, and starts it. */
export function TagRunForm({
  collection,
  vocabulary,
  onChange,
}: {
  readonly collection: string;
  readonly vocabulary: string;
  /** Called when there may be another run, or another state of one. */
  readonly onChange: () => void;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const [options, setOptions] = useState<Omit<RunWish, 'collection' | 'vocabulary'>>(USUAL_WISH);
  const [preview, setPreview] = useState<PreviewTagRunMutation['previewTagRun'] | null>(null);
  const [started, setStarted] = useState<JobFactsFragment | null>(null);
  const [doing, setDoing] = useState<'preview' | 'start' | null>(null);
  const { input, fault } = runInput({ ...options, collection, vocabulary });

  function change(part: Partial<typeof options>): void {
    setOptions({ ...options, ...part });
    setPreview(null); // it was of other options
  }

  function look(): void {
    if (input === null) return;
    setDoing('preview');
    run(
      async () => (await client.execute(PREVIEW_TAG_RUN, { input })).previewTagRun,
      (answer) => {
        setPreview(answer);
      },
    );
  }

  function start(): void {
    if (input === null) return;
    setDoing('start');
    run(
      async () => (await client.execute(START_TAG_RUN, { input })).startTagRun,
      ({ job }) => {
        setPreview(null);
        setStarted(job);
      },
    );
  }

  return (
    <form
      className="tag-run-form"
      aria-label="Tag the collection"
      onSubmit={(event) => {
        event.preventDefault();
        look();
      }}
    >
      <div className="tag-run-options">
        <TextField
          label="Tags an image gets, at most"
          value={options.maxTagsPerImage}
          onChange={(maxTagsPerImage) => {
            change({ maxTagsPerImage });
          }}
        />
        <TextField
          label="At least, even when none is probable"
          value={options.minTagsPerImage}
          onChange={(minTagsPerImage) => {
            change({ minTagsPerImage });
          }}
        />
        <TextField
          label="Probability from which on, 0 to 1"
          value={options.minProbability}
          onChange={(minProbability) => {
            change({ minProbability });
          }}
        />
      </div>
      <p className="panel-note">
        A label with a threshold of its own goes by that. At least 1 sorts every image into its best
        class.
      </p>
      {fault === null ? null : (
        <p className="panel-note" role="alert">
          {fault}
        </p>
      )}
      <div className="action-row">
        <button type="submit" className="button" aria-disabled={isBusy || input === null}>
          {isBusy && doing === 'preview' ? 'Looking…' : 'Preview'}
        </button>
        <button
          type="button"
          className="button button-primary"
          aria-disabled={isBusy || input === null}
          onClick={start}
        >
          {isBusy && doing === 'start' ? 'Starting…' : 'Start tagging'}
        </button>
      </div>
      <Faults faults={faults} />
      {started === null ? null : (
        <StartedJob key={started.id} loaded={started} onChange={onChange} />
      )}
      <div aria-live="polite" aria-busy={isBusy}>
        {preview === null ? null : <TagPreview preview={preview} collection={collection} />}
      </div>
    </form>
  );
}
