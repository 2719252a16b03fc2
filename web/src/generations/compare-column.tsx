import { useId, type ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { fileName } from '../components/file-name.ts';
import { Link } from '../components/link.tsx';
import { imageHref } from '../location.ts';
import type { SideAnswer } from './comparison.ts';

/** What one generation found for one query. */
export function CompareColumn({
  title,
  answer,
  collection,
  common,
}: {
  readonly title: string;
  readonly answer: SideAnswer;
  readonly collection: string;
  /** Images that the other side found too; null when that has no answer. */
  readonly common: ReadonlySet<string> | null;
}): ReactNode {
  const titleId = useId();
  return (
    <div className="compare-column" role="group" aria-labelledby={titleId}>
      <h4 id={titleId} className="compare-title">
        {title}
      </h4>
      {answer.state === 'failed' ? <Faults faults={[answer.error]} /> : null}
      {answer.state === 'ready' && answer.search.edges.length === 0 ? (
        <p className="panel-note">It found nothing.</p>
      ) : null}
      {answer.state === 'ready' ? (
        <ol className="compare-grid" aria-labelledby={titleId}>
          {answer.search.edges.map(({ rank, score, node }) => (
            <CompareTile
              key={node.id}
              image={node}
              caption={`${rank}, cos ${score.toFixed(2)}`}
              isOnlyHere={common !== null && !common.has(node.id)}
              collection={collection}
            />
          ))}
        </ol>
      ) : null}
    </div>
  );
}

type Found = Extract<SideAnswer, { state: 'ready' }>['search']['edges'][number]['node'];

function CompareTile({
  image,
  caption,
  isOnlyHere,
  collection,
}: {
  readonly image: Found;
  readonly caption: string;
  readonly isOnlyHere: boolean;
  readonly collection: string;
}): ReactNode {
  return (
    <li className="compare-tile" data-only-here={isOnlyHere}>
      <Link
        href={imageHref(image.id, { collection, query: '', like: null })}
        title={image.path}
        className="compare-link"
      >
        <img
          className="compare-image"
          src={image.thumbnailUrl}
          alt={fileName(image.path)}
          width={image.width}
          height={image.height}
          loading="lazy"
          decoding="async"
        />
      </Link>
      <p className="compare-caption">{caption}</p>
      {isOnlyHere ? <strong className="compare-only">only here</strong> : null}
    </li>
  );
}
