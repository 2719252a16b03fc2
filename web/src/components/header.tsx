import { useState, type ReactNode } from 'react';
import { navigate } from '../history.ts';
import { searchHref } from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import type { ResolvedSearch } from '../results/result-page.ts';
import { forgetResults } from '../results/use-results.ts';
import { signOut } from '../session.ts';
import { Link } from './link.tsx';
import { SearchForm } from './search-form.tsx';
import './header.css';

export function Header({
  start,
  search,
  uploadButton,
}: {
  readonly start: Start;
  readonly search: ResolvedSearch;
  readonly uploadButton: ReactNode;
}): ReactNode {
  return (
    <header className="header">
      <Link className="header-brand" href={searchHref({ ...search, query: '', like: null })}>
        <img src="/favicon.svg" alt="" width={28} height={28} />
        <span className="header-name">
          ShareLock<span className="header-name-end"> Search</span>
        </span>
      </Link>
      <SearchForm collections={start.collections} search={search} />
      <div className="header-actions">
        {uploadButton}
        <SignOutButton viewer={start.viewer} />
      </div>
    </header>
  );
}

function SignOutButton({
  viewer: { keyName, keyPrefix, role },
}: {
  readonly viewer: Start['viewer'];
}): ReactNode {
  const [hasFailed, setHasFailed] = useState(false);

  async function leave(): Promise<void> {
    try {
      await signOut();
    } catch {
      setHasFailed(true); // still signed in: nothing may look as if not
      return;
    }
    forgetResults();
    navigate('/sign-in');
  }

  return (
    <button
      type="button"
      className="button button-quiet"
      title={`Signed in with the key ${keyName} (${keyPrefix}…), ${role}`}
      onClick={() => {
        void leave();
      }}
    >
      {hasFailed ? 'Sign out: try again' : 'Sign out'}
    </button>
  );
}
