import type { ReactNode } from 'react';
import './result-grid.css';

const SHAPES = ['wide', 'tall', 'square', 'wide', 'square', 'wide', 'tall'];

/** Where pictures are going to be; shown only when they take a moment. */
export function SkeletonGrid(): ReactNode {
  return (
    <ul className="grid grid-skeleton" aria-hidden="true">
      {Array.from({ length: 21 }, (_, i) => (
        <li key={i} className="tile">
          <div className={`tile-placeholder tile-placeholder-${SHAPES[i % SHAPES.length] ?? ''}`} />
        </li>
      ))}
    </ul>
  );
}
