import { useId, useState, type ReactNode } from 'react';
import type { ImageTagsQuery, SetTagsInput, TagSource, Verdict } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { IMAGE_TAGS, REVIEW_TAGS, SET_TAGS } from '../graphql/tag-operations.ts';
import { useAction, type Action } from '../graphql/use-action.ts';
import { useQuery } from '../graphql/use-query.ts';
import { searchHref } from '../location.ts';
import { forgetResults } from '../results/use-results.ts';
import { Faults } from './faults.tsx';
import { Link } from './link.tsx';
import { formatPercent } from './number-words.ts';
import '../styles/panels.css';
import './image-tags.css';

type Tag = NonNullable<ImageTagsQuery['image']>['tags'][number];

interface ImageTagsProps {
  readonly imageId: string;
  readonly collection: string;
  /** Whether whoever looks may change them. */
  readonly canTag: boolean;
}

/** The tags of an image: where each comes from and what to do about it. */
export function ImageTags({ imageId, collection, canTag }: ImageTagsProps): ReactNode {
  const client = useClient();
  const titleId = useId();
  const [query, reload] = useQuery(imageId, async (signal) => {
    return (await client.execute(IMAGE_TAGS, { id: imageId }, { signal })).image?.tags ?? [];
  });
  const action = useAction();

  function showChanged(): void {
    forgetResults(); // those that were filtered by tags
    reload();
  }

  function review({ vocabulary, label }: Tag, verdict: Verdict): void {
    const verdicts = [{ imageId, vocabulary, label, verdict }];
    const send = async () => (await client.execute(REVIEW_TAGS, { verdicts })).reviewTags;
    action.run(send, showChanged);
  }

  function set(change: Omit<SetTagsInput, 'imageIds'>): void {
    const input = { imageIds: [imageId], ...change };
    action.run(async () => (await client.execute(SET_TAGS, { input })).setTags, showChanged);
  }

  const tags = query.state === 'ready' ? query.data : [];
  return (
    <section className="image-tags" aria-labelledby={titleId}>
      <h3 id={titleId} className="classify-title">
        Tags
      </h3>
      {query.state === 'failed' ? <Faults faults={[query.error]} /> : null}
      {query.state === 'ready' && tags.length === 0 ? (
        <p className="panel-note">None yet.</p>
      ) : null}
      <ul className="image-tags-list" aria-label="Tags">
        {tags.map((tag) => (
          <li key={`${tag.vocabulary} ${tag.label}`} className="image-tag">
            <TagWords tag={tag} collection={collection} />
            {canTag ? <TagButtons {...{ tag, action, review, set }} /> : null}
          </li>
        ))}
      </ul>
      {canTag ? (
        <AddTag
          isBusy={action.isBusy}
          onAdd={(label) => {
            set({ add: [label] });
          }}
        />
      ) : null}
      <Faults faults={action.faults} />
    </section>
  );
}

function TagWords({
  tag,
  collection,
}: {
  readonly tag: Tag;
  readonly collection: string;
}): ReactNode {
  const { label, vocabulary, source, probability, state, isStale, setBy } = tag;
  const parts = [
    vocabulary,
    setBy === null ? SOURCE_NAMES[source] : `${SOURCE_NAMES[source]} (${setBy})`,
    ...(probability === null ? [] : [formatPercent(probability)]),
    ...(state === 'ACCEPTED' && source !== 'MANUAL' ? ['accepted'] : []),
    ...(isStale ? ['stale'] : []),
  ];
  return (
    <span className="image-tag-words">
      <Link href={searchHref({ collection, query: '', like: null, tags: [label] })}>{label}</Link>
      <span className="image-tag-origin">{parts.join(', ')}</span>
    </span>
  );
}

/** What a run found is accepted or rejected; everything else is taken away. */
function TagButtons({
  tag,
  action: { isBusy },
  review,
  set,
}: {
  readonly tag: Tag;
  readonly action: Action;
  readonly review: (tag: Tag, verdict: Verdict) => void;
  readonly set: (change: Omit<SetTagsInput, 'imageIds'>) => void;
}): ReactNode {
  const { label, vocabulary, probability, state } = tag;
  if (probability !== null) {
    return (
      <span className="image-tag-buttons">
        {state === 'ACCEPTED' ? null : (
          <TagButton
            sign="✓"
            label={`Accept ${label}`}
            isBusy={isBusy}
            onClick={() => {
              review(tag, 'ACCEPT');
            }}
          />
        )}
        <TagButton
          sign="✗"
          label={`Reject ${label}`}
          isBusy={isBusy}
          onClick={() => {
            review(tag, 'REJECT');
          }}
        />
      </span>
    );
  }
  return (
    <span className="image-tag-buttons">
      <TagButton
        sign="×"
        label={`Remove ${label}`}
        isBusy={isBusy}
        onClick={() => {
          set({ vocabulary, remove: [label] });
        }}
      />
    </span>
  );
}

function TagButton({
  sign,
  label,
  isBusy,
  onClick,
}: {
  readonly sign: string;
  readonly label: string;
  readonly isBusy: boolean;
  readonly onClick: () => void;
}): ReactNode {
  return (
    <button
      type="button"
      className="image-tag-button"
      aria-label={label}
      title={label}
      aria-disabled={isBusy}
      onClick={onClick}
    >
      {sign}
    </button>
  );
}

function AddTag({
  isBusy,
  onAdd,
}: {
  readonly isBusy: boolean;
  readonly onAdd: (label: string) => void;
}): ReactNode {
  const [text, setText] = useState('');
  return (
    <form
      className="classify-form"
      aria-label="Add a tag"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === '' || isBusy) return;
        onAdd(text.trim());
        setText('');
      }}
    >
      <input
        className="field"
        value={text}
        placeholder="Add a tag"
        aria-label="Tag to add"
        maxLength={200}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      <button type="submit" className="button" aria-disabled={isBusy}>
        Add
      </button>
    </form>
  );
}

const SOURCE_NAMES: Readonly<Record<TagSource, string>> = {
  MANUAL: 'by hand',
  RUN: 'by a run',
  IMPORTED: 'from the file',
};
