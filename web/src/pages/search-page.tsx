import { useEffect, useRef, type ReactNode, type RefObject } from 'react';
import { Header } from '../components/header.tsx';
import { LoadMore } from '../components/load-more.tsx';
import { Code, Notice } from '../components/notice.tsx';
import { Problem } from '../components/problem.tsx';
import { ResultGrid, tileLinkId } from '../components/result-grid.tsx';
import { ResultSummary } from '../components/result-summary.tsx';
import { SearchForm } from '../components/search-form.tsx';
import { SkeletonGrid } from '../components/skeleton-grid.tsx';
import { TagFilter } from '../components/tag-filter.tsx';
import { Uploader } from '../components/uploader.tsx';
import { searchHref, type Search } from '../location.ts';
import type { ResolvedSearch } from '../results/result-page.ts';
import { forgetResults, useResults, type Results } from '../results/use-results.ts';
import { useTitle } from '../use-title.ts';
import { ImageDialog } from './image-dialog.tsx';
import type { Start } from './start-page.tsx';

export function SearchPage({
  start,
  search,
  imageId,
}: {
  readonly start: Start;
  readonly search: Search;
  /** The image that is open over the results. */
  readonly imageId: string | null;
}): ReactNode {
  const resolved = { ...search, collection: search.collection ?? start.collections[0].name };
  const results = useResults(resolved);
  useTitle(titleOf(resolved));
  useFocusOfClosedImage(imageId);
  const main = useRef<HTMLElement>(null);
  useFocusWhenLost(main, searchHref(resolved));

  return (
    <>
      <Header
        start={start}
        section="search"
        collection={resolved.collection}
        uploadButton={
          start.viewer.role === 'READER' ? null : (
            <Uploader
              collection={resolved.collection}
              onChange={() => {
                forgetResults();
                results.reload();
              }}
            />
          )
        }
      >
        <SearchForm collections={start.collections} search={resolved} />
      </Header>
      <main ref={main} tabIndex={-1} className="page" aria-busy={results.state === 'loading'}>
        <h1 className="visually-hidden">{titleOf(resolved)}</h1>
        <TagFilter search={resolved} />
        <ResultSummary search={resolved} results={results} />
        <ResultArea search={resolved} results={results} />
      </main>
      {imageId === null ? null : (
        <ImageDialog
          imageId={imageId}
          search={resolved}
          results={results}
          canTag={start.viewer.role !== 'READER'}
        />
      )}
    </>
  );
}

function ResultArea({
  search,
  results,
}: {
  readonly search: ResolvedSearch;
  readonly results: Results;
}): ReactNode {
  switch (results.state) {
    case 'loading':
      return <SkeletonGrid />;
    case 'failed':
      return results.error === null ? null : (
        <Problem error={results.error} onRetry={results.reload} />
      );
    case 'ready':
      if (results.hits.length === 0) return <NothingFound search={search} results={results} />;
      return (
        <>
          <ResultGrid hits={results.hits} search={search} />
          <LoadMore results={results} />
        </>
      );
  }
}

function NothingFound({
  search: { collection, query, like, tags = [] },
  results,
}: {
  readonly search: ResolvedSearch;
  readonly results: Results;
}): ReactNode {
  if (tags.length > 0) {
    return (
      <Notice title="No picture has all of these tags and fits the search">
        <p>Take one of the tags away, or search for something else.</p>
      </Notice>
    );
  }
  if (query === '' && like === null) {
    return (
      <Notice title={`${collection} has no images yet`}>
        <p>
          Add a folder of photos, on the computer that runs the server:
          <Code>bin/sharelock index FOLDER --collection {shellWord(collection)}</Code>
        </p>
      </Notice>
    );
  }
  if (query === '') return <Notice title="There is no other image to compare with" />;
  return (
    <Notice title={`No picture for “${query}”`}>
      <p>
        {results.cutReason === null
          ? `${collection} has nothing to show for it.`
          : 'No picture of this collection stands out for these words.'}{' '}
        Try other words, or another collection.
      </p>
    </Notice>
  );
}

function shellWord(name: string): string {
  return name.includes(' ') ? `"${name}"` : name;
}

function titleOf({ collection, query, like }: ResolvedSearch): string {
  if (like !== null) return `Similar images in ${collection}`;
  return query === '' ? `Images in ${collection}` : `${query} in ${collection}`;
}

/** Whoever closes an image goes on where that image is in the grid, also after leafing through. */
function useFocusOfClosedImage(imageId: string | null): void {
  const last = useRef(imageId);
  useEffect(() => {
    if (imageId === null && last.current !== null) {
      document.getElementById(tileLinkId(last.current))?.focus();
    }
    last.current = imageId;
  }, [imageId]);
}

/** After following "Similar" its tile is gone; the keyboard goes on at the new results, not at the top of the page. */
function useFocusWhenLost(main: RefObject<HTMLElement | null>, search: string): void {
  const first = useRef(search);
  useEffect(() => {
    if (search !== first.current && document.activeElement === document.body) {
      main.current?.focus({ preventScroll: true });
    }
  }, [main, search]);
}
