import type { ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import { count } from '../components/number-words.ts';
import { formatCount } from '../jobs/job-words.ts';
import { reviewHref, searchHref } from '../location.ts';
import type { LabelReport } from './reliability.ts';
import { ReliabilityPlot } from './reliability-plot.tsx';

/** What people said about one label, and the ways to say more. */
export function LabelDetails({
  report: { label, accepted, rejected, reliability, confusedWith },
  collection,
  vocabulary,
  canReview,
}: {
  readonly report: LabelReport;
  readonly collection: string;
  readonly vocabulary: string;
  readonly canReview: boolean;
}): ReactNode {
  const scope = { collection, vocabulary, label };
  return (
    <div className="report-label">
      <ReliabilityPlot title={`Reliability of ${label}`} bins={reliability} />
      <div>
        <p>
          {formatCount(accepted)} accepted, {formatCount(rejected)} rejected.
        </p>
        {confusedWith.length === 0 ? null : (
          <>
            <p className="panel-note">Pictures that were rejected for it have instead:</p>
            <ul className="plain-list" aria-label={`Confused with ${label}`}>
              {confusedWith.map((other) => (
                <li key={other.label}>
                  {other.label}, {count(other.count, 'picture')}
                </li>
              ))}
            </ul>
          </>
        )}
        <div className="action-row">
          {canReview ? (
            <>
              <Link className="button" href={reviewHref({ ...scope, order: 'UNCERTAIN' })}>
                Review doubtful ones
              </Link>
              <Link className="button" href={reviewHref({ ...scope, order: 'SAMPLED' })}>
                Measure it
              </Link>
            </>
          ) : null}
          <Link
            className="button"
            href={searchHref({ collection, query: '', like: null, tags: [label] })}
          >
            See its pictures
          </Link>
        </div>
      </div>
    </div>
  );
}
