import type { ReactNode } from 'react';
import { imageHref, searchHref } from '../location.ts';
import type { Hit, ResolvedSearch } from '../results/result-page.ts';
import { fileName } from './file-name.ts';
import { Link } from './link.tsx';
import './result-grid.css';

/** Pictures in rows, each as wide as it is shaped; in reading order for keyboards and screen readers. */
export function ResultGrid({
  hits,
  search,
}: {
  readonly hits: readonly Hit[];
  readonly search: ResolvedSearch;
}): ReactNode {
  return (
    <ol className="grid" aria-label="Images">
      {hits.map((hit) => (
        <ResultTile key={hit.image.id} hit={hit} search={search} />
      ))}
    </ol>
  );
}

/** The element to which the focus goes back when an image is closed. */
export function tileLinkId(imageId: string): string {
  return `image-${imageId}`;
}

function ResultTile({
  hit: { image, ranking },
  search,
}: {
  readonly hit: Hit;
  readonly search: ResolvedSearch;
}): ReactNode {
  const name = fileName(image.path);
  return (
    <li className="tile">
      <Link
        id={tileLinkId(image.id)}
        className="tile-link"
        href={imageHref(image.id, search)}
        title={image.path}
      >
        <img
          className="tile-image"
          src={image.thumbnailUrl}
          alt={image.path}
          width={image.width}
          height={image.height}
          loading="lazy"
          decoding="async"
        />
      </Link>
      <p className="tile-caption">
        {ranking === null ? (
          <span className="tile-name">{name}</span>
        ) : (
          <span className="tile-ranking" title="Rank and cosine similarity with the search">
            <span className="visually-hidden">Rank </span>
            {ranking.rank}
            <span className="tile-score">
              <abbr title="Cosine similarity">cos</abbr> {ranking.score.toFixed(2)}
            </span>
          </span>
        )}
        <Link
          className="tile-similar"
          href={searchHref({ collection: search.collection, query: '', like: image.id })}
          aria-label={`More like ${name}`}
          title="More like this"
        >
          Similar
        </Link>
      </p>
    </li>
  );
}
