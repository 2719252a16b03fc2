import type { ReactNode } from 'react';
import { SelectField } from '../components/select-field.tsx';
import { useClient } from '../graphql/client-context.ts';
import { REVIEW_LABELS } from '../graphql/tag-operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { formatCount } from '../jobs/job-words.ts';

/** Which label is reviewed; each with how many tags it has and how many of them were looked at. */
export function LabelPicker({
  collection,
  vocabulary,
  value,
  onChange,
}: {
  readonly collection: string;
  readonly vocabulary: string | null;
  readonly value: string | null;
  readonly onChange: (label: string | null) => void;
}): ReactNode {
  const client = useClient();
  const variables = { collection, vocabulary };
  const [query] = useQuery(JSON.stringify(variables), async (signal) => {
    return (await client.execute(REVIEW_LABELS, variables, { signal })).tagReport.labels;
  });
  // Without a report (nothing is tagged yet) there is nothing to choose from; the queue says so.
  const labels = query.state === 'ready' ? query.data : [];
  return (
    <SelectField
      label="Label"
      value={value ?? ''}
      options={[
        ['', 'All labels'],
        ...labels.map(({ label, count, accepted, rejected }) => {
          const seen = accepted + rejected;
          const looked = seen === 0 ? '' : `, ${formatCount(seen)} reviewed`;
          return [label, `${label} (${formatCount(count)}${looked})`] as const;
        }),
      ]}
      onChange={(label) => {
        onChange(label === '' ? null : label);
      }}
    />
  );
}
