import type { ReactNode } from 'react';
import './bar.css';

/** A share of a whole as a bar; the words beside it say the same. */
export function Bar({ share }: { readonly share: number }): ReactNode {
  return (
    <svg className="bar" aria-hidden="true">
      <rect className="bar-all" width="100%" height="100%" />
      <rect className="bar-part" width={`${100 * Math.min(1, share)}%`} height="100%" />
    </svg>
  );
}

/** An estimate with its interval: a tick for the value over the band it lies in. */
export function IntervalBar({
  value,
  low,
  high,
}: {
  readonly value: number | null;
  readonly low: number;
  readonly high: number;
}): ReactNode {
  const percent = (share: number): string => `${100 * share}%`;
  return (
    <svg className="bar bar-interval" aria-hidden="true">
      <rect className="bar-all" width="100%" height="100%" />
      <rect className="bar-band" x={percent(low)} width={percent(high - low)} height="100%" />
      {value === null ? null : (
        <line className="bar-tick" x1={percent(value)} x2={percent(value)} y1="0" y2="100%" />
      )}
    </svg>
  );
}
