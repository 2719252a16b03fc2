import type { ReactNode } from 'react';
import type { Start } from '../pages/start-page.tsx';
import { Link } from './link.tsx';
import { Notice } from './notice.tsx';

/** For readers, to whom the API would answer FORBIDDEN. */
export function PageRefusal({
  title,
  viewer: { keyName, keyPrefix, role },
}: {
  readonly title: string;
  readonly viewer: Start['viewer'];
}): ReactNode {
  return (
    <main className="page">
      <Notice title={title}>
        <p>
          You are signed in with the key {keyName} ({keyPrefix}…), which is a {role}. To see this
          page, sign in with a key of the role CURATOR or ADMIN.
        </p>
        <Link className="button" href="/">
          Go to the search
        </Link>
      </Notice>
    </main>
  );
}
