import { useId, useState, type ReactNode } from 'react';
import { Chips } from '../components/chips.tsx';
import { TextField } from '../components/text-field.tsx';

/** More labels than that don't go into a list to choose from. */
const MAX_SUGGESTIONS = 2000;

/** More general labels, chosen from those there are. */
export function ParentsField({
  names,
  values,
  onChange,
}: {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
}): ReactNode {
  const [text, setText] = useState('');
  const listId = useId();
  return (
    <div>
      <TextField
        label="More general labels"
        value={text}
        list={listId}
        placeholder="Type the name of a label"
        note="Whoever gets this label gets those as well."
        onChange={(next) => {
          // Choosing from the list writes the whole name at once; typing it to its end does the same.
          const isWhole = names.includes(next) && !values.includes(next);
          setText(isWhole ? '' : next);
          if (isWhole) onChange([...values, next]);
        }}
      />
      <datalist id={listId}>
        {names.slice(0, MAX_SUGGESTIONS).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Chips
        label="More general labels"
        values={values}
        onRemove={(name) => {
          onChange(values.filter((value) => value !== name));
        }}
      />
    </div>
  );
}
