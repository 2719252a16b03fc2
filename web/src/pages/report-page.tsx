import { useState, type ReactNode } from 'react';
import { CollectionField } from '../components/collection-field.tsx';
import { FactList, type Fact } from '../components/fact-list.tsx';
import { Link } from '../components/link.tsx';
import { Moment } from '../components/moment.tsx';
import { Notice } from '../components/notice.tsx';
import { Problem } from '../components/problem.tsx';
import { TagPage } from '../components/tag-page.tsx';
import { useVocabularyNames, VocabularyField } from '../components/vocabulary-field.tsx';
import type { TagReportQuery } from '../generated/operations.ts';
import { textModelName } from '../generations/generation-words.ts';
import { useClient } from '../graphql/client-context.ts';
import { TAG_REPORT } from '../graphql/tag-operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { navigate } from '../history.ts';
import { formatCount } from '../jobs/job-words.ts';
import { reportHref, reviewHref, taggingHref, type TagScope } from '../location.ts';
import { CsvButton } from '../report/csv-button.tsx';
import { Estimate } from '../report/estimate.tsx';
import { LabelDetails } from '../report/label-details.tsx';
import { overallReliability } from '../report/reliability.ts';
import { ReliabilityPlot } from '../report/reliability-plot.tsx';
import { ReportTable } from '../report/report-table.tsx';
import type { Start } from './start-page.tsx';

/** How far a collection's tags can be trusted. */
export function ReportPage({
  start,
  scope,
}: {
  readonly start: Start;
  readonly scope: TagScope;
}): ReactNode {
  const collection = scope.collection ?? start.collections[0].name;
  const resolved = { ...scope, collection };
  const [names] = useVocabularyNames();
  return (
    <TagPage start={start} section="report" title="Report" scope={resolved}>
      <div className="filter-row">
        <CollectionField
          collections={start.collections}
          value={collection}
          onChange={(name) => {
            navigate(reportHref({ ...scope, collection: name }));
          }}
        />
        <VocabularyField
          names={names.state === 'ready' ? names.data : []}
          value={scope.vocabulary}
          none="Of the newest run"
          onChange={(vocabulary) => {
            navigate(reportHref({ collection, vocabulary }));
          }}
        />
      </div>
      <Report scope={resolved} canReview={start.viewer.role !== 'READER'} />
    </TagPage>
  );
}

function Report({
  scope,
  canReview,
}: {
  readonly scope: TagScope & { readonly collection: string };
  readonly canReview: boolean;
}): ReactNode {
  const client = useClient();
  const [query, reload] = useQuery(reportHref(scope), async (signal) => {
    const { collection, vocabulary } = scope;
    return (await client.execute(TAG_REPORT, { collection, vocabulary }, { signal })).tagReport;
  });
  switch (query.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      if (query.error.code === 'NOT_FOUND') {
        return <NoReport scope={scope} reason={query.error.message} canTag={canReview} />;
      }
      return <Problem error={query.error} onRetry={reload} />;
    case 'ready':
      return (
        <ReportParts report={query.data} collection={scope.collection} canReview={canReview} />
      );
  }
}

function NoReport({
  scope,
  reason,
  canTag,
}: {
  readonly scope: TagScope;
  readonly reason: string;
  readonly canTag: boolean;
}): ReactNode {
  return (
    <Notice title="There is nothing to report yet">
      <p>{reason}</p>
      {canTag ? (
        <Link className="button" href={taggingHref(scope)}>
          Tag images
        </Link>
      ) : null}
    </Notice>
  );
}

type TagReport = TagReportQuery['tagReport'];

function ReportParts({
  report,
  collection,
  canReview,
}: {
  readonly report: TagReport;
  readonly collection: string;
  readonly canReview: boolean;
}): ReactNode {
  const [chosen, setChosen] = useState<string | null>(null);
  const vocabulary = report.vocabulary.name;
  const label = report.labels.find((it) => it.label === chosen);
  return (
    <>
      <div className="report-facts">
        <div>
          <FactList facts={factsOf(report)} />
          <div className="action-row">
            {canReview ? (
              <Link
                className="button button-primary"
                href={reviewHref({ collection, vocabulary, label: null, order: 'SAMPLED' })}
              >
                Measure by reviewing a sample
              </Link>
            ) : null}
            <CsvButton collection={collection} vocabulary={vocabulary} />
          </div>
        </div>
        <ReliabilityPlot
          title="Reliability of all labels"
          bins={overallReliability(report.labels)}
        />
      </div>
      <section>
        <h2 className="panel-subtitle">Labels</h2>
        <ReportTable labels={report.labels} chosen={chosen} onChoose={setChosen}>
          {label === undefined ? null : (
            <LabelDetails report={label} {...{ collection, vocabulary, canReview }} />
          )}
        </ReportTable>
      </section>
    </>
  );
}

function factsOf(report: TagReport): readonly Fact[] {
  const { vocabulary, vocabularyVersion, textModel, isStale, tagRun, images, tags } = report;
  const isOld = vocabulary.version > vocabularyVersion;
  return [
    [
      'Vocabulary',
      `${vocabulary.name}, version ${vocabularyVersion}${isOld ? ' (there is a newer one)' : ''}`,
    ],
    ['Text model', `${textModelName(textModel)}${isStale ? ' (stale: run it again)' : ''}`],
    ...(tagRun.appliedAt === null
      ? []
      : [['Tagged', <Moment key="tagged" at={tagRun.appliedAt} />] as const]),
    ['Tags', `${formatCount(tags)} in ${formatCount(images)} images`],
    ['Precision', <Estimate key="precision" estimate={report.precision} />],
    ['Recall', <Estimate key="recall" estimate={report.recall} />],
  ];
}
