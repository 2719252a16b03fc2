import { useState, type ReactNode } from 'react';
import { navigate } from '../history.ts';
import { searchHref } from '../location.ts';
import type { ResolvedSearch } from '../results/result-page.ts';
import { Chips } from './chips.tsx';
import './tag-filter.css';

/** Which tags the pictures must have: each can be taken away, and another one added. */
export function TagFilter({ search }: { readonly search: ResolvedSearch }): ReactNode {
  const [text, setText] = useState('');
  const tags = search.tags ?? [];
  const tag = text.trim();
  function show(wanted: readonly string[]): void {
    navigate(searchHref({ ...search, tags: wanted }));
  }
  return (
    <div className="tag-filter">
      <Chips
        label="Tags that pictures must have"
        values={tags}
        onRemove={(removed) => {
          show(tags.filter((it) => it !== removed));
        }}
      />
      <form
        aria-label="Filter by tag"
        onSubmit={(event) => {
          event.preventDefault();
          setText('');
          if (tag !== '' && !tags.includes(tag)) show([...tags, tag]);
        }}
      >
        <input
          className="field"
          value={text}
          placeholder="Only with the tag…"
          aria-label="Only pictures with this tag"
          maxLength={200}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
      </form>
    </div>
  );
}
