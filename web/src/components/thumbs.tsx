import type { ReactNode } from 'react';
import type { ImageThumbFragment, SampleFactsFragment } from '../generated/operations.ts';
import { imageHref } from '../location.ts';
import { formatPercent } from './number-words.ts';
import './thumbs.css';

/** Pictures with how probable it is that they show something; what isn't tagged is dimmed, and says so. */
export function SampleThumbs({
  samples,
  collection,
  label,
}: {
  readonly samples: readonly SampleFactsFragment[];
  readonly collection: string;
  readonly label: string;
}): ReactNode {
  return (
    <ol className="thumbs" aria-label={label}>
      {samples.map(({ image, probability, score, isTagged }) => (
        <li key={image.id} className="thumb" data-tagged={isTagged}>
          <a
            className="thumb-link"
            href={imageHref(image.id, { collection, query: '', like: null })}
            target="_blank"
            rel="noopener"
            title={`${image.path}, cosine ${score.toFixed(3)}`}
          >
            <ThumbImage image={image} />
          </a>
          <span className="thumb-caption">
            <span aria-hidden="true">{isTagged ? '✓' : '–'}</span>{' '}
            <span className="visually-hidden">{isTagged ? 'Gets it:' : 'Left out:'}</span>
            {formatPercent(probability)}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function ThumbImage({ image }: { readonly image: ImageThumbFragment }): ReactNode {
  return (
    <img
      className="thumb-image"
      src={image.thumbnailUrl}
      alt={image.path}
      width={image.width}
      height={image.height}
      loading="lazy"
      decoding="async"
    />
  );
}
