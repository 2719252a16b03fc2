import { useEffect, useRef, useState, type ReactNode } from 'react';
import { navigate } from '../history.ts';
import { searchHref } from '../location.ts';
import type { CollectionSummary } from '../pages/start-page.tsx';
import type { ResolvedSearch } from '../results/result-page.ts';
import './search-form.css';

export function SearchForm({
  collections,
  search,
}: {
  readonly collections: readonly CollectionSummary[];
  readonly search: ResolvedSearch;
}): ReactNode {
  const { collection, query, like, tags = [] } = search;
  const [text, setText] = useState(query);
  const [shownQuery, setShownQuery] = useState(query);
  const input = useRef<HTMLInputElement>(null);
  if (shownQuery !== query) {
    // Back, forward or a link: the address has the last word.
    setShownQuery(query);
    setText(query);
  }
  useSlashKey(() => input.current?.select());

  function submit(): void {
    const href = searchHref({ collection, query: text.trim(), like: null, tags });
    if (href !== searchHref({ collection, query, like, tags })) navigate(href);
  }

  return (
    <search className="search-form-landmark">
      <form
        className="search-form"
        aria-label="Search for images"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <label className="visually-hidden" htmlFor="collection">
          Collection
        </label>
        <select
          id="collection"
          className="search-form-collection"
          value={collection}
          onChange={(event) => {
            navigate(
              searchHref({ collection: event.target.value, query: text.trim(), like: null }),
            );
          }}
        >
          {options(collections, collection).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <label className="visually-hidden" htmlFor="query">
          Describe a picture
        </label>
        <input
          ref={input}
          id="query"
          className="search-form-query"
          type="search"
          value={text}
          placeholder="Describe a picture"
          maxLength={2000}
          autoComplete="off"
          autoFocus
          aria-keyshortcuts="/"
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        <button type="submit" className="button button-primary">
          Search
        </button>
      </form>
    </search>
  );
}

/** A collection of the address that isn't there is shown all the same: the results say that it is missing. */
function options(collections: readonly CollectionSummary[], chosen: string): readonly string[] {
  const names = collections.map(({ name }) => name);
  return names.includes(chosen) ? names : [chosen, ...names];
}

/** Calls `focus` when `/` is typed where it isn't text. */
function useSlashKey(focus: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      const isTaken = event.target instanceof Element && event.target.closest(TYPING) !== null;
      if (isTaken) return;
      event.preventDefault();
      focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => {
      window.removeEventListener('keydown', onKeyDown);
    };
  });
}

/** Where a slash is text, or belongs to an opened image. */
const TYPING = 'input, textarea, select, dialog, [contenteditable]';
