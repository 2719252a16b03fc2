import type { ReactNode } from 'react';
import { OfflineNotice } from './components/offline-notice.tsx';
import { usePlace } from './history.ts';
import type { Place } from './location.ts';
import { GenerationsPage } from './pages/generations-page.tsx';
import { JobPage } from './pages/job-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { NowherePage } from './pages/nowhere-page.tsx';
import { ReportPage } from './pages/report-page.tsx';
import { ReviewPage } from './pages/review-page.tsx';
import { SearchPage } from './pages/search-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { StartPage, type Start } from './pages/start-page.tsx';
import { TaggingPage } from './pages/tagging-page.tsx';
import { VocabulariesPage } from './pages/vocabularies-page.tsx';
import { VocabularyPage } from './pages/vocabulary-page.tsx';

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
    case 'vocabularies':
    case 'vocabulary':
    case 'tagging':
    case 'review':
    case 'report':
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
    case 'vocabularies':
      return <VocabulariesPage start={start} collection={place.collection} />;
    case 'vocabulary':
      return (
        <VocabularyPage
          key={place.name}
          start={start}
          name={place.name}
          collection={place.collection}
        />
      );
    case 'tagging':
      return <TaggingPage start={start} scope={place.scope} />;
    case 'review':
      return <ReviewPage start={start} scope={place.scope} />;
    case 'report':
      return <ReportPage start={start} scope={place.scope} />;
  }
}
