import { useId, useState, type ReactNode } from 'react';
import { TextField } from '../components/text-field.tsx';
import type { CollectionSummary } from '../pages/start-page.tsx';
import { ExamplePicker } from './example-picker.tsx';
import { LabelPreview } from './label-preview.tsx';
import { LinesField } from './lines-field.tsx';
import { ParentsField } from './parents-field.tsx';
import type { DraftLabel } from './vocabulary-draft.ts';
import './label-form.css';

interface LabelFormProps {
  readonly label: DraftLabel;
  /** Names of the vocabulary's labels. */
  readonly names: readonly string[];
  readonly collections: readonly CollectionSummary[];
  /** Where examples are looked for and the label is tried. */
  readonly collection: string;
  readonly onCollection: (name: string) => void;
  readonly onChange: (label: DraftLabel) => void;
  readonly onRemove: () => void;
}

/** A label's definition, and beside it what it finds. */
export function LabelForm({
  label,
  names,
  onChange,
  onRemove,
  ...place
}: LabelFormProps): ReactNode {
  const titleId = useId();
  const others = names.filter((name) => name !== label.name);
  const name = label.name.trim();
  const change = (part: Partial<DraftLabel>): void => {
    onChange({ ...label, ...part });
  };
  return (
    <section className="label-form" aria-labelledby={titleId}>
      <h3 id={titleId} className="visually-hidden">
        Label {name}
      </h3>
      <div className="label-form-fields">
        <TextField
          label="Name"
          value={label.name}
          maxLength={200}
          isInvalid={name === '' || others.includes(name)}
          onChange={(next) => {
            change({ name: next });
          }}
        />
        <LinesField
          label="Prompts, one a line"
          note={`None: the model's own, such as “a photo of a ${name === '' ? '…' : name}”.`}
          values={label.prompts}
          onChange={(prompts) => {
            change({ prompts });
          }}
        />
        <LinesField
          label="Negative prompts, one a line"
          note="What it is not: pictures of that count against it."
          values={label.negativePrompts}
          onChange={(negativePrompts) => {
            change({ negativePrompts });
          }}
        />
        <ThresholdField
          value={label.threshold}
          onChange={(threshold) => {
            change({ threshold });
          }}
        />
        <ParentsField
          names={others}
          values={label.parents}
          onChange={(parents) => {
            change({ parents });
          }}
        />
        <ExamplePicker
          collection={place.collection}
          searchFor={name}
          ids={label.examples}
          onChange={(examples) => {
            change({ examples });
          }}
        />
        <div className="action-row">
          <button type="button" className="button" onClick={onRemove}>
            Remove this label
          </button>
        </div>
      </div>
      <LabelPreview label={label} {...place} />
    </section>
  );
}

/** What is no number from 0 to 1 is marked, and not taken. */
function ThresholdField({
  value,
  onChange,
}: {
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}): ReactNode {
  const [text, setText] = useState(value === null ? '' : String(value));
  const parsed = parseShare(text);
  return (
    <TextField
      label="Threshold"
      value={text}
      placeholder="as the run has it"
      note="Probability from which on a picture gets the label, 0 to 1."
      isInvalid={parsed === undefined}
      onChange={(next) => {
        setText(next);
        const number = parseShare(next);
        if (number !== undefined) onChange(number);
      }}
    />
  );
}

/** Null: nothing was written; undefined: no number from 0 to 1. */
function parseShare(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const number = Number(text.replace(',', '.'));
  return number >= 0 && number <= 1 ? number : undefined;
}
