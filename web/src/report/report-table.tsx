import type { ReactNode } from 'react';
import { formatCount } from '../jobs/job-words.ts';
import { Estimate } from './estimate.tsx';
import type { LabelReport } from './reliability.ts';
import './report-table.css';

/** From so many on, a label's probabilities are its own. */
const LEAST_REVIEWS = 20;

/** The labels, a row each; `children` is shown below the one that is chosen. */
export function ReportTable({
  labels,
  chosen,
  onChoose,
  children,
}: {
  readonly labels: readonly LabelReport[];
  readonly chosen: string | null;
  readonly onChoose: (label: string | null) => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <table className="report-table">
      <thead>
        <tr>
          <th scope="col">Label</th>
          <th scope="col" className="report-number">
            Tags
          </th>
          <th scope="col">Precision</th>
          <th scope="col">Recall</th>
          <th scope="col" className="report-number">
            Threshold
          </th>
          <th scope="col">Calibrated</th>
          <th scope="col" className="report-number">
            <abbr title="Expected calibration error">ECE</abbr>
          </th>
        </tr>
      </thead>
      <tbody>
        {labels.map((report) => (
          <Rows key={report.label} {...{ report, chosen, onChoose, children }} />
        ))}
      </tbody>
    </table>
  );
}

function Rows({
  report,
  chosen,
  onChoose,
  children,
}: {
  readonly report: LabelReport;
  readonly chosen: string | null;
  readonly onChoose: (label: string | null) => void;
  readonly children: ReactNode;
}): ReactNode {
  const { label, count, precision, recall, threshold, isCalibrated, accepted, rejected } = report;
  const isChosen = chosen === label;
  const error = report.calibrationError;
  return (
    <>
      <tr className="report-row">
        <th scope="row">
          <button
            type="button"
            className="text-button"
            aria-expanded={isChosen}
            onClick={() => {
              onChoose(isChosen ? null : label);
            }}
          >
            {label}
          </button>
        </th>
        <td data-name="Tags" className="report-number">
          {formatCount(count)}
        </td>
        <td data-name="Precision">
          <Estimate estimate={precision} />
        </td>
        <td data-name="Recall">
          <Estimate estimate={recall} />
        </td>
        <td data-name="Threshold" className="report-number">
          {threshold.toFixed(2)}
        </td>
        <td data-name="Calibrated">
          {isCalibrated ? 'yes' : uncalibratedWords(accepted + rejected)}
        </td>
        <td data-name="ECE" className="report-number">
          {error === null ? '–' : error.toFixed(2)}
        </td>
      </tr>
      {isChosen ? (
        <tr>
          <td colSpan={7} className="report-details">
            {children}
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** Reviews that came after the run make the next one's probabilities. */
function uncalibratedWords(reviews: number): string {
  return reviews < LEAST_REVIEWS
    ? `no, ${formatCount(reviews)} of ${LEAST_REVIEWS} reviews`
    : 'with the next run';
}
