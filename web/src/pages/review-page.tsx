import type { ReactNode } from 'react';
import { CollectionField } from '../components/collection-field.tsx';
import { Header } from '../components/header.tsx';
import { Link } from '../components/link.tsx';
import { Notice } from '../components/notice.tsx';
import { PageRefusal } from '../components/page-refusal.tsx';
import { Problem } from '../components/problem.tsx';
import { SelectField } from '../components/select-field.tsx';
import { TagPage } from '../components/tag-page.tsx';
import { useVocabularyNames, VocabularyField } from '../components/vocabulary-field.tsx';
import { navigate } from '../history.ts';
import {
  reportHref,
  REVIEW_ORDERS,
  reviewHref,
  taggingHref,
  type ReviewScope,
} from '../location.ts';
import { LabelPicker } from '../review/label-picker.tsx';
import { ReviewBoard } from '../review/review-board.tsx';
import { ReviewProgress } from '../review/review-progress.tsx';
import { BOARD_SIZE, type ReviewSession, type ReviewSnapshot } from '../review/review-session.ts';
import { KEYS, ORDER_NAMES, ORDER_NOTES } from '../review/review-words.ts';
import { useReview, type ResolvedReview } from '../review/use-review.ts';
import type { Start } from './start-page.tsx';

/** Where people say which tags are right. */
export function ReviewPage({
  start,
  scope,
}: {
  readonly start: Start;
  readonly scope: ReviewScope;
}): ReactNode {
  const collection = scope.collection ?? start.collections[0].name;
  const resolved = { ...scope, collection };
  if (start.viewer.role === 'READER') {
    return (
      <>
        <Header start={start} section="tags" collection={collection} />
        <PageRefusal title="Reviews are for curators and administrators" viewer={start.viewer} />
      </>
    );
  }
  return (
    <TagPage start={start} section="review" title="Review" scope={resolved}>
      <ScopeForm start={start} scope={resolved} />
      <Review key={reviewHref(resolved)} scope={resolved} />
    </TagPage>
  );
}

function ScopeForm({
  start,
  scope,
}: {
  readonly start: Start;
  readonly scope: ResolvedReview;
}): ReactNode {
  const [names] = useVocabularyNames();
  const go = (part: Partial<ReviewScope>): void => {
    navigate(reviewHref({ ...scope, ...part }));
  };
  return (
    <div className="filter-row">
      <CollectionField
        collections={start.collections}
        value={scope.collection}
        onChange={(collection) => {
          go({ collection, label: null });
        }}
      />
      <VocabularyField
        names={names.state === 'ready' ? names.data : []}
        value={scope.vocabulary}
        none="Any"
        onChange={(vocabulary) => {
          go({ vocabulary, label: null });
        }}
      />
      <LabelPicker
        collection={scope.collection}
        vocabulary={scope.vocabulary}
        value={scope.label}
        onChange={(label) => {
          go({ label });
        }}
      />
      <SelectField
        label="Order"
        value={scope.order}
        options={REVIEW_ORDERS.map((order) => [order, ORDER_NAMES[order]])}
        onChange={(value) => {
          go({ order: REVIEW_ORDERS.find((order) => order === value) ?? 'MIXED' });
        }}
      />
    </div>
  );
}

function Review({ scope }: { readonly scope: ResolvedReview }): ReactNode {
  const [session, snapshot] = useReview(scope);
  switch (snapshot.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      return snapshot.loadError === null ? null : (
        <Problem error={snapshot.loadError} onRetry={session.start} />
      );
    case 'ready':
      if (snapshot.items.length === 0) return <NothingToReview scope={scope} />;
      return <Board scope={scope} session={session} snapshot={snapshot} />;
  }
}

function Board({
  scope,
  session,
  snapshot,
}: {
  readonly scope: ResolvedReview;
  readonly session: ReviewSession;
  readonly snapshot: ReviewSnapshot;
}): ReactNode {
  const { items, board, decisions, isWhole } = snapshot;
  const isDone = isWhole && decisions.size >= items.length;
  return (
    <>
      <div className="review-head">
        <p className="panel-note">{ORDER_NOTES[scope.order]}</p>
        <ReviewProgress session={session} snapshot={snapshot} />
        <KeyList />
      </div>
      {isDone ? <ReviewDone scope={scope} /> : null}
      {scope.label === null ? null : (
        <p className="review-question">
          Does it show: <strong>{scope.label}</strong>?
        </p>
      )}
      {board >= items.length ? (
        <p className="panel-note">More tags are on their way…</p>
      ) : (
        <ReviewBoard session={session} snapshot={snapshot} isOfOneLabel={scope.label !== null} />
      )}
      <Boards session={session} snapshot={snapshot} />
    </>
  );
}

function KeyList(): ReactNode {
  return (
    <ul className="review-keys" aria-label="Keys">
      {KEYS.map(([key, meaning]) => (
        <li key={key}>
          <kbd>{key}</kbd> {meaning}
        </li>
      ))}
    </ul>
  );
}

/** To the boards before and after. */
function Boards({
  session,
  snapshot: { board, items },
}: {
  readonly session: ReviewSession;
  readonly snapshot: ReviewSnapshot;
}): ReactNode {
  const hasNext = board + BOARD_SIZE < items.length;
  if (board === 0 && !hasNext) return null;
  return (
    <div className="action-row">
      <button
        type="button"
        className="button"
        aria-disabled={board === 0}
        onClick={() => {
          session.showBoard(board - BOARD_SIZE);
        }}
      >
        Previous {BOARD_SIZE}
      </button>
      <button
        type="button"
        className="button"
        aria-disabled={!hasNext}
        onClick={() => {
          if (hasNext) session.showBoard(board + BOARD_SIZE);
        }}
      >
        Next {BOARD_SIZE}
      </button>
    </div>
  );
}

function NothingToReview({ scope }: { readonly scope: ResolvedReview }): ReactNode {
  return (
    <Notice title="No tag waits for a review">
      <p>
        Either nothing is tagged yet, or people have looked at all of it. What they said is in the
        report.
      </p>
      <div className="action-row">
        <Link className="button" href={taggingHref(scope)}>
          Tag images
        </Link>
        <Link className="button" href={reportHref(scope)}>
          See the report
        </Link>
      </div>
    </Notice>
  );
}

function ReviewDone({ scope }: { readonly scope: ResolvedReview }): ReactNode {
  return (
    <p role="status">
      That was all of it. <Link href={reportHref(scope)}>See the report</Link>
    </p>
  );
}
