import type { ReactNode } from 'react';
import type { CollectionSummary } from '../pages/start-page.tsx';
import { SelectField } from './select-field.tsx';

export function CollectionField({
  collections,
  value,
  onChange,
}: {
  readonly collections: readonly CollectionSummary[];
  readonly value: string;
  readonly onChange: (name: string) => void;
}): ReactNode {
  return (
    <SelectField
      label="Collection"
      value={value}
      options={collections.map(({ name }) => [name, name])}
      onChange={onChange}
    />
  );
}
