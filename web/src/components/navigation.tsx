import type { ReactNode } from 'react';
import { generationsHref, jobsHref, searchHref, taggingHref } from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import { Link } from './link.tsx';
import './navigation.css';

export type Section = 'search' | 'tags' | 'jobs' | 'generations';

/** Between the parts of the application; readers have no jobs and generations. */
export function Navigation({
  viewer,
  section,
  collection,
}: {
  readonly viewer: Start['viewer'];
  readonly section: Section;
  readonly collection: string | null;
}): ReactNode {
  const links: readonly (readonly [Section, string, string])[] = [
    ['search', 'Search', searchHref({ collection, query: '', like: null })],
    ['tags', 'Tags', taggingHref({ collection, vocabulary: null })],
  ];
  const curatorLinks: typeof links = [
    ['jobs', 'Jobs', jobsHref({ collection, state: null })],
    ['generations', 'Generations', generationsHref(collection)],
  ];
  return (
    <nav className="navigation" aria-label="Sections">
      {[...links, ...(viewer.role === 'READER' ? [] : curatorLinks)].map(([name, title, href]) => (
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
