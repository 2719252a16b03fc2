import type { ReactNode } from 'react';
import { useClient } from '../graphql/client-context.ts';
import { useQuery, type QueryState } from '../graphql/use-query.ts';
import { VOCABULARIES } from '../graphql/vocabulary-operations.ts';
import { SelectField } from './select-field.tsx';

/** More than that are named in the address. */
const MOST = 100;

/** Names of the vocabularies that runs go by; open ones have no runs. */
export function useVocabularyNames(): readonly [QueryState<readonly string[]>, () => void] {
  const client = useClient();
  return useQuery('vocabulary names', async (signal) => {
    const variables = { first: MOST, after: null };
    const { vocabularies } = await client.execute(VOCABULARIES, variables, { signal });
    return vocabularies.edges.filter(({ node }) => !node.isOpen).map(({ node }) => node.name);
  });
}

export function VocabularyField({
  names,
  value,
  none,
  onChange,
}: {
  readonly names: readonly string[];
  readonly value: string | null;
  /** What no choice is called; null: there is always one. */
  readonly none: string | null;
  readonly onChange: (name: string | null) => void;
}): ReactNode {
  return (
    <SelectField
      label="Vocabulary"
      value={value ?? ''}
      options={[
        ...(none === null ? [] : [['', none] as const]),
        ...names.map((name) => [name, name] as const),
      ]}
      onChange={(name) => {
        onChange(name === '' ? null : name);
      }}
    />
  );
}
