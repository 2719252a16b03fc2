import { useState, type ReactNode } from 'react';
import { Loaded } from '../components/loaded.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { useClient } from '../graphql/client-context.ts';
import { usePages } from '../graphql/use-pages.ts';
import { OPEN_LABELS } from '../graphql/vocabulary-operations.ts';
import { useDebounced } from '../use-debounced.ts';

const PAGE_SIZE = 100;
const PAUSE_MS = 300;

/** The labels of an open vocabulary: nobody defines them, so there is nothing to edit. */
export function OpenLabels({ name }: { readonly name: string }): ReactNode {
  const client = useClient();
  const [text, setText] = useState('');
  const search = useDebounced(text.trim(), PAUSE_MS);
  const pages = usePages(`${name} ${search}`, async (after, signal) => {
    const variables = { name, search: search === '' ? null : search, first: PAGE_SIZE, after };
    const { vocabulary } = await client.execute(OPEN_LABELS, variables, { signal });
    if (vocabulary === null) return { items: [], next: null, totalCount: 0 };
    const { edges, pageInfo, totalCount } = vocabulary.labels;
    const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    return { items: edges.map(({ node }) => node), next, totalCount };
  });
  return (
    <>
      <div className="label-table-head">
        <input
          type="search"
          className="field"
          value={text}
          placeholder="Find a label"
          aria-label="Find a label"
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
      </div>
      <Loaded query={pages.query} onRetry={pages.reload}>
        {({ items, totalCount }) => (
          <>
            <p className="panel-note" role="status">
              {items.length.toLocaleString('en-GB')} of {totalCount.toLocaleString('en-GB')} labels
            </p>
            <ul className="chips" aria-label="Labels">
              {items.map((label) => (
                <li key={label.id} className="chip chip-plain">
                  {label.name}
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      <MoreButton pages={pages} />
    </>
  );
}
