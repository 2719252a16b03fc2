import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useClient, type PageClient } from '../graphql/client-context.ts';
import { ClientError } from '../graphql/client.ts';
import { REVIEW_QUEUE, REVIEW_TAGS } from '../graphql/tag-operations.ts';
import { reviewHref, type ReviewScope } from '../location.ts';
import { ReviewSession, type ReviewBackend, type ReviewSnapshot } from './review-session.ts';

const PAGE_SIZE = 60;

export type ResolvedReview = ReviewScope & { readonly collection: string };

/** A review of its own for each scope. */
export function useReview(scope: ResolvedReview): readonly [ReviewSession, ReviewSnapshot] {
  const client = useClient();
  const key = reviewHref(scope);
  const session = useMemo(() => new ReviewSession(backendOf(client, scope)), [client, key]);
  const snapshot = useSyncExternalStore(session.subscribe, session.getSnapshot);
  useEffect(() => {
    session.start();
    return session.stop;
  }, [session]);
  useEffect(() => {
    if (snapshot.unsent === 0) return undefined;
    const warn = (event: BeforeUnloadEvent): void => {
      session.retrySending();
      event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => {
      window.removeEventListener('beforeunload', warn);
    };
  }, [session, snapshot.unsent]);
  useEffect(() => {
    window.addEventListener('online', session.retrySending);
    return () => {
      window.removeEventListener('online', session.retrySending);
    };
  }, [session]);
  return [session, snapshot];
}

function backendOf(client: PageClient, scope: ResolvedReview): ReviewBackend {
  return {
    async load(after, signal) {
      const variables = { ...scope, first: PAGE_SIZE, after };
      const { edges, pageInfo, totalCount } = (
        await client.execute(REVIEW_QUEUE, variables, { signal })
      ).reviewQueue;
      const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      return { items: edges.map(({ node }) => node), next, totalCount };
    },
    async send(verdicts) {
      const { userErrors, undo } = (await client.execute(REVIEW_TAGS, { verdicts })).reviewTags;
      const [fault] = userErrors;
      if (fault !== undefined) throw new ClientError(fault.code, fault.message);
      return undo;
    },
  };
}
