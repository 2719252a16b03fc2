import type { ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import { Problem } from '../components/problem.tsx';
import type { JobFailuresQuery } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { ClientError } from '../graphql/client.ts';
import { JOB_FAILURES } from '../graphql/job-operations.ts';
import { usePages } from '../graphql/use-pages.ts';
import { imageHref } from '../location.ts';
import { MoreButton } from '../components/more-button.tsx';
import './job-failures.css';

type Failure = NonNullable<JobFailuresQuery['job']>['failures']['edges'][number]['node'];

const PAGE_SIZE = 20;

/** The items that failed and why. `failed` is how many the job counts: when that changes, they are loaded anew. */
export function JobFailures({
  jobId,
  collection,
  failed,
}: {
  readonly jobId: string;
  readonly collection: string | null;
  readonly failed: number;
}): ReactNode {
  const client = useClient();
  const pages = usePages(`${jobId} ${failed}`, async (after, signal) => {
    const page = { id: jobId, first: PAGE_SIZE, after };
    const { job } = await client.execute(JOB_FAILURES, page, { signal });
    if (job === null) throw new ClientError('NOT_FOUND', 'The job is gone.');
    const { edges, pageInfo, totalCount } = job.failures;
    const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    return { items: edges.map(({ node }) => node), next, totalCount };
  });

  switch (pages.query.state) {
    case 'loading':
      return <p>Loading…</p>;
    case 'failed':
      return <Problem error={pages.query.error} onRetry={pages.reload} />;
    case 'ready':
      return (
        <>
          <ul className="failures" aria-label="Failures">
            {pages.query.data.items.map((failure) => (
              <FailureRow key={failure.id} failure={failure} collection={collection} />
            ))}
          </ul>
          <MoreButton pages={pages} />
        </>
      );
  }
}

function FailureRow({
  failure: { image, path, reasonCode, message, attempts },
  collection,
}: {
  readonly failure: Failure;
  readonly collection: string | null;
}): ReactNode {
  return (
    <li className="failure">
      {image === null ? (
        <span className="failure-image" aria-hidden="true" />
      ) : (
        <img
          className="failure-image"
          src={image.thumbnailUrl}
          alt={`Thumbnail of ${path}`}
          width={64}
          height={64}
          loading="lazy"
        />
      )}
      <div>
        <p className="failure-path">
          {image === null ? (
            path
          ) : (
            <Link href={imageHref(image.id, { collection, query: '', like: null })}>{path}</Link>
          )}
        </p>
        <p>
          {message ?? 'No reason was given.'}{' '}
          {reasonCode === null ? null : <code>{reasonCode}</code>}
        </p>
        <p className="failure-attempts">
          {attempts === 1 ? 'Tried once' : `Tried ${attempts} times`}
        </p>
      </div>
    </li>
  );
}
