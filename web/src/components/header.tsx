import type { ReactNode } from 'react';
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
        <span className="header-name">ShareLock Search</span>
      </Link>
      <SearchForm collections={start.collections} search={search} />
      <div className="header-actions">
        {uploadButton}
        <button
          type="button"
          className="button button-quiet"
          title={`Signed in with the key ${start.viewer.keyName} (${start.viewer.keyPrefix}…), ${start.viewer.role}`}
          onClick={() => void leave()}
        >
          Sign out
        </button>
      </div>
    </header>
  );
}

/** Also when the server can't be reached: the sign-in page is the way out in any case. */
async function leave(): Promise<void> {
  try {
    await signOut();
  } finally {
    forgetResults();
    navigate('/sign-in');
  }
}
