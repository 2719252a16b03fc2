import type { ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import { Notice } from '../components/notice.tsx';

export function NowherePage(): ReactNode {
  return (
    <main className="page">
      <Notice title="There is nothing at this address">
        <Link className="button" href="/">
          Go to the search
        </Link>
      </Notice>
    </main>
  );
}
