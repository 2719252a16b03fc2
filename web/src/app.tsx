import type { ReactNode } from 'react';
import { OfflineNotice } from './components/offline-notice.tsx';
import { usePlace } from './history.ts';
import type { Place } from './location.ts';
import { GenerationsPage } from './pages/generations-page.tsx';
import { JobPage } from './pages/job-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { NowherePage } from './pages/nowhere-page.tsx';
import { SearchPage } from './pages/search-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { StartPage, type Start } from './pages/start-page.tsx';

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
    case 'jobs':
    case 'job':
    case 'generations':
      return <StartPage>{(start) => pageOf(place, start)}</StartPage>;
  }
}

function pageOf(place: Exclude<Place, { page: 'sign-in' | 'nowhere' }>, start: Start): ReactNode {
  switch (place.page) {
    case 'search':
      return <SearchPage start={start} search={place.search} imageId={null} />;
    case 'image':
      return <SearchPage start={start} search={place.search} imageId={place.imageId} />;
    case 'jobs':
      return <JobsPage start={start} filter={place.filter} />;
    case 'job':
      return <JobPage key={place.jobId} start={start} jobId={place.jobId} />;
    case 'generations':
      return <GenerationsPage start={start} asked={place.collection} />;
  }
}
