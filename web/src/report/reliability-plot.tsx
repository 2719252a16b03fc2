import { useId, type ReactNode } from 'react';
import { count, formatPercent } from '../components/number-words.ts';
import type { ReliabilityBin } from './reliability.ts';
import './reliability-plot.css';

const SIZE = 240;
const MARGIN = 36;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Probability against the share that people accepted: on the diagonal, a probability is what it says. */
export function ReliabilityPlot({
  title,
  bins,
}: {
  readonly title: string;
  readonly bins: readonly ReliabilityBin[];
}): ReactNode {
  const titleId = useId();
  if (bins.length === 0) {
    return <p className="panel-note">{title}: nobody has reviewed any of it yet.</p>;
  }
  const most = Math.max(...bins.map(({ verdicts }) => verdicts));
  const points = bins.map(({ probability, accepted }) => `${x(probability)},${y(accepted)}`);
  const side = SIZE + MARGIN + 12;
  return (
    <figure className="reliability">
      <figcaption id={titleId}>{title}</figcaption>
      <svg viewBox={`0 0 ${side} ${side}`} role="img" aria-labelledby={titleId}>
        {TICKS.map((tick) => (
          <g key={tick}>
            <line className="reliability-grid" x1={x(tick)} x2={x(tick)} y1={y(0)} y2={y(1)} />
            <line className="reliability-grid" x1={x(0)} x2={x(1)} y1={y(tick)} y2={y(tick)} />
            <text className="reliability-text" x={x(tick)} y={y(0) + 14} textAnchor="middle">
              {tick * 100}
            </text>
            <text className="reliability-text" x={x(0) - 5} y={y(tick) + 3.5} textAnchor="end">
              {tick * 100}
            </text>
          </g>
        ))}
        <line className="reliability-ideal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <polyline className="reliability-line" points={points.join(' ')} />
        {bins.map((bin) => (
          <circle
            key={bin.probability}
            className="reliability-point"
            cx={x(bin.probability)}
            cy={y(bin.accepted)}
            r={3 + 5 * Math.sqrt(bin.verdicts / most)}
          >
            <title>{binWords(bin)}</title>
          </circle>
        ))}
        <text className="reliability-text" x={x(0.5)} y={side - 4} textAnchor="middle">
          Probability in %
        </text>
        <text
          className="reliability-text"
          transform={`translate(9 ${y(0.5)}) rotate(-90)`}
          textAnchor="middle"
        >
          Accepted in %
        </text>
      </svg>
      <ul className="visually-hidden">
        {bins.map((bin) => (
          <li key={bin.probability}>{binWords(bin)}</li>
        ))}
      </ul>
    </figure>
  );
}

function binWords({ probability, accepted, verdicts }: ReliabilityBin): string {
  return `Probability ${formatPercent(probability)}: ${formatPercent(accepted)} of ${count(verdicts, 'verdict')} accepted`;
}

function x(share: number): number {
  return MARGIN + share * SIZE;
}

function y(share: number): number {
  return 8 + (1 - share) * SIZE;
}
