import type { ReactNode } from 'react';
import './chips.css';

/** Short texts that can be taken away one by one. */
export function Chips({
  label,
  values,
  onRemove,
}: {
  readonly label: string;
  readonly values: readonly string[];
  readonly onRemove: (value: string) => void;
}): ReactNode {
  if (values.length === 0) return null;
  return (
    <ul className="chips" aria-label={label}>
      {values.map((value) => (
        <li key={value} className="chip">
          {value}
          <button
            type="button"
            className="chip-remove"
            aria-label={`Remove ${value}`}
            onClick={() => {
              onRemove(value);
            }}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
