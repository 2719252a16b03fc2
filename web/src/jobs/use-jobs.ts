import { useEffect, useEffectEvent } from 'react';
import type { JobFactsFragment } from '../generated/operations.ts';
import { useClient, type PageClient } from '../graphql/client-context.ts';
import { JOBS, NEWEST_JOB } from '../graphql/job-operations.ts';
import { usePages, type PageOf, type Pages } from '../graphql/use-pages.ts';
import { jobsHref, type JobFilter } from '../location.ts';

const PAGE_SIZE = 20;
/** How often it is asked whether there is a newer job. */
const LOOK_EVERY_MS = 5000;

/** Jobs, newest first; loaded anew when a new one comes. */
export function useJobs(filter: JobFilter): Pages<JobFactsFragment> {
  const client = useClient();
  const pages = usePages(jobsHref(filter), (after, signal) =>
    loadJobs(client, filter, after, signal),
  );
  const { query, reload } = pages;
  const newest = query.state === 'ready' ? query.data.items[0]?.id : null;
  const look = useEffectEvent(async (signal: AbortSignal) => {
    if (newest === null || document.hidden) return;
    const { jobs } = await client.execute(NEWEST_JOB, filter, { signal });
    if (!signal.aborted && jobs.edges[0]?.node.id !== newest) reload();
  });

  useEffect(() => {
    const abort = new AbortController();
    const timer = setInterval(() => {
      // Nobody asked for it: the next look may do better.
      look(abort.signal).catch(() => undefined);
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, []);

  return pages;
}

async function loadJobs(
  client: PageClient,
  filter: JobFilter,
  after: string | null,
  signal: AbortSignal,
): Promise<PageOf<JobFactsFragment>> {
  const variables = { ...filter, first: PAGE_SIZE, after };
  const { edges, pageInfo, totalCount } = (await client.execute(JOBS, variables, { signal })).jobs;
  const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  return { items: edges.map(({ node }) => node), next, totalCount };
}
