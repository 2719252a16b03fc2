import type { ReactNode } from 'react';
import { Bar } from '../components/bar.tsx';
import { formatCount } from '../jobs/job-words.ts';

/** A label with how many images get it, as one row: its name, a bar, the number. */
export function LabelCountRow({
  label,
  count,
  most,
  title,
}: {
  readonly label: string;
  readonly count: number;
  /** What the longest bar stands for. */
  readonly most: number;
  readonly title?: string;
}): ReactNode {
  return (
    <>
      <span className="label-count-name" title={title}>
        {label}
      </span>
      <Bar share={most === 0 ? 0 : count / most} />
      <span className="label-count-number">{formatCount(count)}</span>
    </>
  );
}
