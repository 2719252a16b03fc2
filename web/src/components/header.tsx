import { useState, type ReactNode } from 'react';
import { navigate } from '../history.ts';
import { searchHref } from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import { forgetResults } from '../results/use-results.ts';
import { signOut } from '../session.ts';
import { Link } from './link.tsx';
import { Navigation, type Section } from './navigation.tsx';
import './header.css';

export function Header({
  start,
  section,
  collection,
  children,
  uploadButton,
}: {
  readonly start: Start;
  readonly section: Section;
  /** Where links of the header stay; null: in none. */
  readonly collection: string | null;
  /** The search form, where there is one. */
  readonly children?: ReactNode;
  readonly uploadButton?: ReactNode;
}): ReactNode {
  return (
    <header className="header">
      <Link className="header-brand" href={searchHref({ collection, query: '', like: null })}>
        <img src="/favicon.svg" alt="" width={28} height={28} />
        <span className="header-name">
          ShareLock<span className="header-name-end"> Search</span>
        </span>
      </Link>
      <Navigation viewer={start.viewer} section={section} collection={collection} />
      {children}
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
