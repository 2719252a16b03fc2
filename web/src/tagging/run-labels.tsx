import type { ReactNode } from 'react';
import { Loaded } from '../components/loaded.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { useClient } from '../graphql/client-context.ts';
import { RUN_LABELS } from '../graphql/tag-operations.ts';
import { usePages } from '../graphql/use-pages.ts';
import { LabelCountRow } from './label-counts.tsx';
import './tag-run-form.css';

const PAGE_SIZE = 100;

/** What came of a run, label by label. */
export function RunLabels({ runId }: { readonly runId: string }): ReactNode {
  const client = useClient();
  const pages = usePages(runId, async (after, signal) => {
    const variables = { id: runId, first: PAGE_SIZE, after };
    const { node } = await client.execute(RUN_LABELS, variables, { signal });
    if (node === null || !('labels' in node)) return { items: [], next: null, totalCount: 0 };
    const { edges, pageInfo, totalCount } = node.labels;
    const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    return { items: edges.map((edge) => edge.node), next, totalCount };
  });
  return (
    <>
      <Loaded query={pages.query} onRetry={pages.reload}>
        {({ items }) => (
          <ul className="label-counts" aria-label="Labels of the run">
            {items.map(({ label, count, threshold, isCalibrated }) => (
              <li key={label} className="label-count">
                <LabelCountRow
                  {...{ label, count, most: items[0]?.count ?? 0 }}
                  title={`From ${threshold.toFixed(2)} on, ${isCalibrated ? 'calibrated by reviews' : 'not calibrated'}`}
                />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <MoreButton pages={pages} />
    </>
  );
}
