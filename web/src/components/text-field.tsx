import { useId, type ReactNode } from 'react';
import './text-field.css';

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  /** What it is for, below it. */
  readonly note?: string;
  /** More than one: a field of so many lines. */
  readonly rows?: number;
  readonly maxLength?: number;
  /** Id of a `datalist`. */
  readonly list?: string | undefined;
  readonly isInvalid?: boolean;
}

export function TextField({
  label,
  value,
  onChange,
  note,
  rows = 1,
  list,
  isInvalid = false,
  ...rest
}: TextFieldProps): ReactNode {
  const id = useId();
  const noteId = useId();
  const shared = {
    ...rest,
    ...{ id, value, className: 'field', autoComplete: 'off', 'aria-invalid': isInvalid },
    ...(note === undefined ? {} : { 'aria-describedby': noteId }),
  };
  return (
    <div className="text-field">
      <label htmlFor={id}>{label}</label>
      {rows > 1 ? (
        <textarea
          {...shared}
          rows={rows}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      ) : (
        <input
          {...shared}
          list={list}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
      {note === undefined ? null : (
        <p id={noteId} className="panel-note">
          {note}
        </p>
      )}
    </div>
  );
}
