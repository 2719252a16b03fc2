import { useState, type ReactNode } from 'react';

/** The name of a label to be added. */
export function AddLabelForm({
  names,
  onAdd,
}: {
  /** Those that there are. */
  readonly names: readonly string[];
  readonly onAdd: (name: string) => void;
}): ReactNode {
  const [text, setText] = useState('');
  const name = text.trim();
  const isThere = names.includes(name);
  return (
    <form
      className="one-line-form"
      aria-label="Add a label"
      onSubmit={(event) => {
        event.preventDefault();
        if (name === '' || isThere) return;
        onAdd(name);
        setText('');
      }}
    >
      <input
        className="field"
        value={text}
        placeholder="A new label, such as lighthouse"
        aria-label="Name of a new label"
        maxLength={200}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      <button type="submit" className="button" aria-disabled={name === '' || isThere}>
        Add label
      </button>
      {isThere ? (
        <p className="panel-note" role="status">
          There is a label “{name}” already.
        </p>
      ) : null}
    </form>
  );
}
