import type { ReactNode } from 'react';
import { CollectionField } from '../components/collection-field.tsx';
import { Faults } from '../components/faults.tsx';
import { count } from '../components/number-words.ts';
import { SampleThumbs } from '../components/thumbs.tsx';
import type { LabelSampleFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { useQuery } from '../graphql/use-query.ts';
import { PREVIEW_LABEL } from '../graphql/vocabulary-operations.ts';
import type { CollectionSummary } from '../pages/start-page.tsx';
import { useDebounced } from '../use-debounced.ts';
import { labelInput, type DraftLabel } from './vocabulary-draft.ts';

/** So long nothing is typed before a label is tried. */
const PAUSE_MS = 600;

/** What a label finds as it is written now. Its parents don't matter for that. */
export function LabelPreview({
  label,
  collections,
  collection,
  onCollection,
}: {
  readonly label: DraftLabel;
  readonly collections: readonly CollectionSummary[];
  readonly collection: string;
  readonly onCollection: (name: string) => void;
}): ReactNode {
  const client = useClient();
  const now = JSON.stringify({ ...labelInput(label), parents: [] });
  const settled = useDebounced(now, PAUSE_MS);
  const [query] = useQuery(`${collection} ${settled}`, async (signal) => {
    const input = JSON.parse(settled) as ReturnType<typeof labelInput>;
    if (input.name === '') return null;
    const variables = { input: { collection, label: input } };
    return (await client.execute(PREVIEW_LABEL, variables, { signal })).previewLabel;
  });
  const isBusy = now !== settled || query.state === 'loading';
  return (
    <section className="label-preview" aria-label="Preview" aria-busy={isBusy}>
      <h4 className="label-preview-title">What it finds</h4>
      <CollectionField collections={collections} value={collection} onChange={onCollection} />
      <div aria-live="polite">
        {query.state === 'failed' ? <Faults faults={[query.error]} /> : null}
        {query.state === 'loading' ? <p className="panel-note">Trying it…</p> : null}
        {query.state === 'ready' && query.data !== null ? (
          <PreviewFacts preview={query.data} collection={collection} />
        ) : null}
      </div>
    </section>
  );
}

function PreviewFacts({
  preview,
  collection,
}: {
  readonly preview: LabelSampleFragment;
  readonly collection: string;
}): ReactNode {
  return (
    <>
      <p>
        <strong>{count(preview.count, 'image')}</strong> would get it, from a probability of{' '}
        {preview.threshold.toFixed(2)} on.
      </p>
      <PreviewSamples preview={preview} collection={collection} />
    </>
  );
}

/** The best of a label, and those near its threshold. */
export function PreviewSamples({
  preview: { label, best, borderline, isCalibrated },
  collection,
}: {
  readonly preview: LabelSampleFragment;
  readonly collection: string;
}): ReactNode {
  return (
    <div className="preview-samples">
      {best.length === 0 ? null : (
        <div>
          <p className="panel-note">Most probable</p>
          <SampleThumbs samples={best} collection={collection} label={`Most probable: ${label}`} />
        </div>
      )}
      {borderline.length === 0 ? null : (
        <div>
          <p className="panel-note">On either side of the threshold</p>
          <SampleThumbs
            samples={borderline}
            collection={collection}
            label={`Borderline: ${label}`}
          />
        </div>
      )}
      {isCalibrated ? null : (
        <p className="panel-note">
          Fewer than 20 reviews of this label here: its probabilities are those of labels in
          general.
        </p>
      )}
    </div>
  );
}
