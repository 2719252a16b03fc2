import type { ReactNode } from 'react';
import {
  reportHref,
  reviewHref,
  taggingHref,
  vocabulariesHref,
  type TagScope,
} from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import { Link } from './link.tsx';

export type TagSection = 'tagging' | 'review' | 'report' | 'vocabularies';

/** Between the pages about tags; readers review nothing. */
export function TagSections({
  viewer,
  section,
  scope,
}: {
  readonly viewer: Start['viewer'];
  readonly section: TagSection;
  readonly scope: TagScope;
}): ReactNode {
  const links: readonly (readonly [TagSection, string, string])[] = [
    ['tagging', 'Tagging', taggingHref(scope)],
    ['review', 'Review', reviewHref({ ...scope, label: null, order: 'MIXED' })],
    ['report', 'Report', reportHref(scope)],
    ['vocabularies', 'Vocabularies', vocabulariesHref(scope.collection)],
  ];
  return (
    <nav className="navigation navigation-inner" aria-label="Tags">
      {links
        .filter(([name]) => name !== 'review' || viewer.role !== 'READER')
        .map(([name, title, href]) => (
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
