import { useLayoutEffect, useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { ClassifyForm } from '../components/classify-form.tsx';
import { ImageTags } from '../components/image-tags.tsx';
import { fileName } from '../components/file-name.ts';
import { ImageFacts } from '../components/image-facts.tsx';
import { Link } from '../components/link.tsx';
import { Notice } from '../components/notice.tsx';
import { Problem } from '../components/problem.tsx';
import type { ImageQuery } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { IMAGE } from '../graphql/operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { goBackOr, redirect } from '../history.ts';
import { imageHref, searchHref } from '../location.ts';
import type { Hit, ResolvedSearch } from '../results/result-page.ts';
import type { Results } from '../results/use-results.ts';
import './image-dialog.css';

type ImageDetails = NonNullable<ImageQuery['image']>;

/** When so few images are left to leaf through, the next page is fetched. */
const FETCH_AHEAD = 4;

/** One image over the results it was opened from; arrow keys leaf through those. */
export function ImageDialog({
  imageId,
  search,
  results,
  canTag,
}: {
  readonly imageId: string;
  readonly search: ResolvedSearch;
  readonly results: Results;
  /** Whether whoever looks may change tags. */
  readonly canTag: boolean;
}): ReactNode {
  const client = useClient();
  const [query, reload] = useQuery(imageId, (signal) =>
    client.execute(IMAGE, { id: imageId }, { signal }),
  );
  const { previous, hit, next, isNearEnd } = neighbours(results.hits, imageId);
  const { loadMore } = results;
  useEffect(() => {
    if (isNearEnd) loadMore();
  }, [isNearEnd, loadMore]);

  const image = query.state === 'ready' ? query.data.image : null;
  const known = image ?? hit?.image ?? null;

  function close(): void {
    goBackOr(searchHref(search));
  }

  function show(neighbour: Hit | null): void {
    if (neighbour !== null) redirect(imageHref(neighbour.image.id, search));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.altKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') show(previous);
    if (event.key === 'ArrowRight') show(next);
  }

  return (
    <Modal label={known === null ? 'Image' : known.path} onClose={close} onKeyDown={onKeyDown}>
      <div className="viewer-stage">
        {query.state === 'failed' ? <Problem error={query.error} onRetry={reload} /> : null}
        {query.state === 'ready' && image === null ? <ImageGone /> : null}
        {known === null ? null : (
          <img
            key={known.id}
            className="viewer-image"
            // The thumbnail of the grid is there at once, and stays until the large one has come.
            src={image?.largeUrl ?? known.thumbnailUrl}
            alt={known.path}
            width={known.width}
            height={known.height}
          />
        )}
        <nav className="viewer-leaf" aria-label="Neighbouring images">
          <LeafButton label="Previous image" sign="‹" to={previous} show={show} />
          <LeafButton label="Next image" sign="›" to={next} show={show} />
        </nav>
      </div>
      <div className="viewer-side">
        <h2 className="viewer-title" aria-live="polite">
          {known === null ? 'Image' : fileName(known.path)}
        </h2>
        {image === null ? null : (
          <Details image={image} hit={hit} collection={search.collection} canTag={canTag} />
        )}
      </div>
      <button type="button" className="viewer-close" aria-label="Close" onClick={close}>
        ×
      </button>
    </Modal>
  );
}

function Details({
  image,
  hit,
  collection,
  canTag,
}: {
  readonly image: ImageDetails;
  readonly hit: Hit | null;
  readonly collection: string;
  readonly canTag: boolean;
}): ReactNode {
  return (
    <>
      <p className="viewer-actions">
        <Link
          className="button button-primary"
          href={searchHref({ collection, query: '', like: image.id })}
        >
          More like this
        </Link>
        <a className="button" href={image.url} target="_blank" rel="noopener">
          Original file
        </a>
      </p>
      <ImageFacts image={image} ranking={hit?.ranking ?? null} />
      <ImageTags
        key={`tags ${image.id}`}
        imageId={image.id}
        collection={collection}
        canTag={canTag}
      />
      <ClassifyForm key={image.id} imageId={image.id} />
    </>
  );
}

function ImageGone(): ReactNode {
  return (
    <Notice title="This image isn't here">
      <p>It was deleted, or it is in a collection that you may not see.</p>
    </Notice>
  );
}

function LeafButton({
  label,
  sign,
  to,
  show,
}: {
  readonly label: string;
  readonly sign: string;
  readonly to: Hit | null;
  readonly show: (hit: Hit | null) => void;
}): ReactNode {
  return (
    <button
      type="button"
      className="viewer-leaf-button"
      aria-label={label}
      aria-disabled={to === null}
      onClick={() => {
        show(to);
      }}
    >
      {sign}
    </button>
  );
}

/** The browser's own modal dialog: it keeps the focus inside, and everything else out of reach. */
function Modal({
  label,
  onClose,
  onKeyDown,
  children,
}: {
  readonly label: string;
  readonly onClose: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly children: ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.focus();
    return () => {
      element?.close();
    };
  }, []);

  return (
    <dialog
      ref={dialog}
      className="viewer"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault(); // the address closes it
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="viewer-frame">{children}</div>
    </dialog>
  );
}

function neighbours(
  hits: readonly Hit[],
  imageId: string,
): { previous: Hit | null; hit: Hit | null; next: Hit | null; isNearEnd: boolean } {
  const index = hits.findIndex(({ image }) => image.id === imageId);
  if (index === -1) return { previous: null, hit: null, next: null, isNearEnd: false };
  return {
    previous: hits[index - 1] ?? null,
    hit: hits[index] ?? null,
    next: hits[index + 1] ?? null,
    isNearEnd: index >= hits.length - FETCH_AHEAD,
  };
}
