import type { ReactNode } from 'react';
import type { TagScope } from '../location.ts';
import type { Start } from '../pages/start-page.tsx';
import { useTitle } from '../use-title.ts';
import { Header } from './header.tsx';
import { TagSections, type TagSection } from './tag-sections.tsx';
import '../styles/panels.css';

/** What the pages about tags have in common: header, links between them, title. */
export function TagPage({
  start,
  section,
  title,
  scope,
  children,
}: {
  readonly start: Start;
  readonly section: TagSection;
  readonly title: string;
  readonly scope: TagScope;
  readonly children: ReactNode;
}): ReactNode {
  useTitle(title);
  return (
    <>
      <Header start={start} section="tags" collection={scope.collection} />
      <main className="page panel-page tag-page">
        <TagSections viewer={start.viewer} section={section} scope={scope} />
        <h1 className="panel-title">{title}</h1>
        {children}
      </main>
    </>
  );
}

/** Whether somebody may change vocabularies, which are of all collections. */
export function canEditVocabularies({ role, reach }: Start['viewer']): boolean {
  return role !== 'READER' && reach === null;
}

/** Beside what may only be looked at: why, and what would be needed. */
export function ReaderNote({
  viewer: { keyName, role },
  what,
  reach = '',
}: {
  readonly viewer: Start['viewer'];
  /** `change vocabularies`. */
  readonly what: string;
  /** `for all collections`, where one of some of them won't do. */
  readonly reach?: string;
}): ReactNode {
  return (
    <p className="panel-note">
      You look at this with the key {keyName}, a {role}. To {what}, sign in with a key of the role
      CURATOR or ADMIN {reach}.
    </p>
  );
}
