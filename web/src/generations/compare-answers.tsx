import type { ReactNode } from 'react';
import { DEPTH, type QueryComparison } from './comparison.ts';
import { CompareColumn } from './compare-column.tsx';
import type { Comparison, ComparisonQuestion } from './use-comparison.ts';
import './compare.css';

/** Each query with its two columns. */
export function CompareAnswers({
  comparison: { isRunning, answers },
  asked,
}: {
  readonly comparison: Comparison;
  readonly asked: ComparisonQuestion;
}): ReactNode {
  const { collection, queries } = asked;
  const [left, right] = asked.sides;
  return (
    <div className="compare-answers" aria-busy={isRunning}>
      <p className="panel-note" role="status">
        {isRunning
          ? `Comparing: ${answers.length} of ${queries.length} queries…`
          : summary(answers)}
      </p>
      {answers.map((answer) => (
        <section key={answer.query} className="compare" aria-label={answer.query}>
          <h3 className="compare-query">
            “{answer.query}” <span className="compare-overlap">{overlap(answer)}</span>
          </h3>
          <CompareColumn
            title={left.title}
            answer={answer.left}
            {...{ collection, common: answer.common }}
          />
          <CompareColumn
            title={right.title}
            answer={answer.right}
            {...{ collection, common: answer.common }}
          />
        </section>
      ))}
    </div>
  );
}

function overlap({ common, depth }: QueryComparison): string {
  if (common === null) return 'can’t be compared';
  return depth === 0 ? 'nothing found on either side' : `${common.size} of ${depth} the same`;
}

function summary(answers: readonly QueryComparison[]): string {
  const compared = answers.filter(({ common, depth }) => common !== null && depth > 0);
  if (compared.length < 2) return `The first ${DEPTH} results of each side`;
  const shares = compared.map(({ common, depth }) => (common?.size ?? 0) / depth);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return `The first ${DEPTH} results of each side; on average ${Math.round(100 * mean)} % the same over ${compared.length} queries`;
}
