import { useState, type ReactNode } from 'react';
import { formatPercent } from '../components/number-words.ts';
import { formatDuration } from '../components/moment.tsx';
import type { LabelSampleFragment, PreviewTagRunMutation } from '../generated/operations.ts';
import { textModelName } from '../generations/generation-words.ts';
import { formatCount } from '../jobs/job-words.ts';
import { PreviewSamples } from '../vocabularies/label-preview.tsx';
import { LabelCountRow } from './label-counts.tsx';

type Preview = PreviewTagRunMutation['previewTagRun'];

/** So many labels are shown at once. */
const PAGE_SIZE = 50;

/** What a run would do, label by label; a label opens to show its best images and the doubtful ones. */
export function TagPreview({
  preview,
  collection,
}: {
  readonly preview: Preview;
  readonly collection: string;
}): ReactNode {
  const [shown, setShown] = useState(PAGE_SIZE);
  const [open, setOpen] = useState<string | null>(preview.labels[0]?.label ?? null);
  const { images, tagged, tags, labels, estimatedSeconds, textModel } = preview;
  const most = labels[0]?.count ?? 0;
  return (
    <section className="tag-preview" aria-label="Preview">
      <p>
        <strong>{formatCount(tags)}</strong> tags for {formatCount(tagged)} of {formatCount(images)}{' '}
        images; <strong>{formatCount(images - tagged)}</strong> without any (
        {formatPercent(images === 0 ? 0 : (images - tagged) / images)}). Nothing is written yet.
      </p>
      <p className="panel-note">
        The run takes {formatDuration(estimatedSeconds)} of work, by the text model{' '}
        {textModelName(textModel)}. Click a label to see what it finds.
      </p>
      <ul className="label-counts" aria-label="Labels">
        {labels.slice(0, shown).map((label) => (
          <li key={label.label}>
            <LabelRow
              label={label}
              most={most}
              collection={collection}
              isOpen={open === label.label}
              onToggle={() => {
                setOpen(open === label.label ? null : label.label);
              }}
            />
          </li>
        ))}
      </ul>
      {labels.length <= shown ? null : (
        <button
          type="button"
          className="button"
          onClick={() => {
            setShown(shown + PAGE_SIZE);
          }}
        >
          Show more of {formatCount(labels.length)} labels
        </button>
      )}
    </section>
  );
}

function LabelRow({
  label: preview,
  most,
  collection,
  isOpen,
  onToggle,
}: {
  readonly label: LabelSampleFragment;
  readonly most: number;
  readonly collection: string;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}): ReactNode {
  const { label, count, threshold } = preview;
  return (
    <>
      <button type="button" className="label-count" aria-expanded={isOpen} onClick={onToggle}>
        <LabelCountRow {...{ label, count, most, title: `From ${threshold.toFixed(2)} on` }} />
      </button>
      {isOpen ? (
        <div className="label-count-samples">
          <PreviewSamples preview={preview} collection={collection} />
        </div>
      ) : null}
    </>
  );
}
