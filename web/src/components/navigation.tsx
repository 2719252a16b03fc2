import type { ReactNode } from 'react';
import { generationsHref, jobsHref, searchHref } from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import { Link } from './link.tsx';
import './navigation.css';

export type Section = 'search' | 'jobs' | 'generations';

/** Between the parts of the application. Readers have only one, and no need of it. */
export function Navigation({
  viewer,
  section,
  collection,
}: {
  readonly viewer: Start['viewer'];
  readonly section: Section;
  readonly collection: string | null;
}): ReactNode {
  if (viewer.role === 'READER') return null;
  const links: readonly (readonly [Section, string, string])[] = [
    ['search', 'Search', searchHref({ collection, query: '', like: null })],
    ['jobs', 'Jobs', jobsHref({ collection, state: null })],
    ['generations', 'Generations', generationsHref(collection)],
  ];
  return (
    <nav className="navigation" aria-label="Sections">
      {links.map(([name, title, href]) => (
        <Link
          key={name}
          className="navigation-link"
          href={href}
          aria-current={name === section ? 'page' : undefined}
        >
          {title}
        </Link>
      ))}
    </nav>
  );
}
