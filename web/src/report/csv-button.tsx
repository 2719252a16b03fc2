import type { ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { download } from '../download.ts';
import { useClient } from '../graphql/client-context.ts';
import { REPORT_CSV } from '../graphql/tag-operations.ts';
import { useAction } from '../graphql/use-action.ts';

/** Saves the report as a table. */
export function CsvButton({
  collection,
  vocabulary,
}: {
  readonly collection: string;
  readonly vocabulary: string;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  return (
    <>
      <button
        type="button"
        className="button"
        aria-disabled={isBusy}
        onClick={() => {
          run(
            async () => {
              const { tagReport } = await client.execute(REPORT_CSV, { collection, vocabulary });
              return { userErrors: [], csv: tagReport.csv };
            },
            ({ csv }) => {
              download(`${collection}-${vocabulary}.csv`, 'text/csv', csv);
            },
          );
        }}
      >
        Download as CSV
      </button>
      <Faults faults={faults} />
    </>
  );
}
