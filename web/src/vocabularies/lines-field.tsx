import { useState, type ReactNode } from 'react';
import { TextField } from '../components/text-field.tsx';
import { lines } from '../generations/reindex-input.ts';

/** A list of texts, one a line. What is typed stays as it is; the list is what it says. */
export function LinesField({
  values,
  onChange,
  ...field
}: {
  readonly label: string;
  readonly note?: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
}): ReactNode {
  const [text, setText] = useState(values.join('\n'));
  const isOther = lines(text).join('\n') !== values.join('\n');
  return (
    <TextField
      rows={2}
      {...field}
      value={isOther ? values.join('\n') : text}
      onChange={(next) => {
        setText(next);
        onChange(lines(next));
      }}
    />
  );
}
