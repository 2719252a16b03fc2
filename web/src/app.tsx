import type { ReactNode } from 'react';
import { OfflineNotice } from './components/offline-notice.tsx';
import { usePlace } from './history.ts';
import { NowherePage } from './pages/nowhere-page.tsx';
import { SearchPage } from './pages/search-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { StartPage } from './pages/start-page.tsx';

export function App(): ReactNode {
  return (
    <>
      <OfflineNotice />
      <CurrentPage />
    </>
  );
}

function CurrentPage(): ReactNode {
  const place = usePlace();
  switch (place.page) {
    case 'sign-in':
      return <SignInPage next={place.next} />;
    case 'nowhere':
      return <NowherePage />;
    case 'search':
    case 'image':
      return (
        <StartPage>
          {(start) => (
            <SearchPage
              start={start}
              search={place.search}
              imageId={place.page === 'image' ? place.imageId : null}
            />
          )}
        </StartPage>
      );
  }
}
