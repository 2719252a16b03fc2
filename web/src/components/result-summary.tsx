import type { ReactNode } from 'react';
import { useClient } from '../graphql/client-context.ts';
import { IMAGE } from '../graphql/operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { searchHref } from '../location.ts';
import type { ResolvedSearch } from '../results/result-page.ts';
import type { Results } from '../results/use-results.ts';
import { fileName } from './file-name.ts';
import { Link } from './link.tsx';
import './result-summary.css';

/** One line above the pictures: how many of what, and how they were found. Its first part is announced to screen readers. */
export function ResultSummary({
  search,
  results,
}: {
  readonly search: ResolvedSearch;
  readonly results: Results;
}): ReactNode {
  return (
    <div className="summary">
      {search.like === null ? null : <Likeness collection={search.collection} like={search.like} />}
      <p className="summary-count" role="status">
        {results.state === 'ready' ? describe(search, results) : null}
        {results.state === 'loading' ? <span className="visually-hidden">Searching…</span> : null}
      </p>
      {results.state === 'ready' && results.timing !== null ? (
        <p className="summary-timing">
          {results.timing.path}, {formatMs(results.timing.ms)}
        </p>
      ) : null}
    </div>
  );
}

/** The picture that others are like, with a way out. */
function Likeness({
  collection,
  like,
}: {
  readonly collection: string;
  readonly like: string;
}): ReactNode {
  const client = useClient();
  const [query] = useQuery(like, (signal) => client.execute(IMAGE, { id: like }, { signal }));
  const image = query.state === 'ready' ? query.data.image : null;
  return (
    <p className="summary-like">
      {image === null ? null : (
        <img
          src={image.thumbnailUrl}
          alt=""
          width={image.width}
          height={image.height}
          className="summary-like-image"
        />
      )}
      <span className="summary-like-text">
        Like {image === null ? 'an image' : fileName(image.path)}
      </span>
      <Link
        className="summary-like-clear"
        href={searchHref({ collection, query: '', like: null })}
        aria-label="Show all images instead"
      >
        ×
      </Link>
    </p>
  );
}

function describe(search: ResolvedSearch, results: Results): string {
  const tags = search.tags ?? [];
  return describeFound(search, results) + (tags.length === 0 ? '' : `, tagged ${tags.join(', ')}`);
}

function describeFound({ collection, query, like }: ResolvedSearch, results: Results): string {
  const count = images(results.hits.length);
  const more = results.next === null ? '' : ' so far';
  if (results.hits.length === 0) return query === '' ? 'No images' : `No images for “${query}”`;
  if (like !== null) return `${count}${more}, most similar first`;
  if (query !== '') return `${count}${more} for “${query}”`;
  return results.next === null || results.totalCount === null
    ? `${count} in ${collection}`
    : `${results.hits.length} of ${images(results.totalCount)} in ${collection}`;
}

function images(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'image' : 'images'}`;
}

function formatMs(ms: number): string {
  return ms < 1 ? '< 1 ms' : `${Math.round(ms).toLocaleString('en')} ms`;
}
