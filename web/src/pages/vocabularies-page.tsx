import { useState, type ReactNode } from 'react';
import { Link } from '../components/link.tsx';
import { Loaded } from '../components/loaded.tsx';
import { Moment } from '../components/moment.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Notice } from '../components/notice.tsx';
import { count } from '../components/number-words.ts';
import { canEditVocabularies, ReaderNote, TagPage } from '../components/tag-page.tsx';
import type { VocabularyFactsFragment } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { usePages } from '../graphql/use-pages.ts';
import { VOCABULARIES } from '../graphql/vocabulary-operations.ts';
import { navigate } from '../history.ts';
import { vocabularyHref } from '../location.ts';
import { ImportButton } from '../vocabularies/vocabulary-file.tsx';
import type { Start } from './start-page.tsx';

const PAGE_SIZE = 50;

/** The sets of labels that there are. */
export function VocabulariesPage({
  start,
  collection,
}: {
  readonly start: Start;
  readonly collection: string | null;
}): ReactNode {
  const client = useClient();
  const pages = usePages('vocabularies', async (after, signal) => {
    const variables = { first: PAGE_SIZE, after };
    const { vocabularies } = await client.execute(VOCABULARIES, variables, { signal });
    const { edges, pageInfo, totalCount } = vocabularies;
    const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    return { items: edges.map(({ node }) => node), next, totalCount };
  });
  const scope = { collection, vocabulary: null };
  return (
    <TagPage start={start} section="vocabularies" title="Vocabularies" scope={scope}>
      {canEditVocabularies(start.viewer) ? null : (
        <ReaderNote viewer={start.viewer} what="change vocabularies" reach="for all collections" />
      )}
      {canEditVocabularies(start.viewer) ? <NewVocabulary collection={collection} /> : null}
      <Loaded query={pages.query} onRetry={pages.reload}>
        {({ items }) =>
          items.length === 0 ? (
            <Notice title="There is no vocabulary yet" />
          ) : (
            <ul className="panel-list" aria-label="Vocabularies">
              {items.map((vocabulary) => (
                <li key={vocabulary.id}>
                  <VocabularyCard vocabulary={vocabulary} collection={collection} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <MoreButton pages={pages} />
    </TagPage>
  );
}

function VocabularyCard({
  vocabulary: { name, description, version, isOpen, labelCount, changedAt },
  collection,
}: {
  readonly vocabulary: VocabularyFactsFragment;
  readonly collection: string | null;
}): ReactNode {
  return (
    <article className="panel-card">
      <h2 className="panel-card-title">
        <Link href={vocabularyHref(name, collection)}>{name}</Link>
      </h2>
      {description === '' ? null : <p>{description}</p>}
      <p className="panel-note">
        {count(labelCount, 'label')}
        {isOpen ? ', open: labels come by being used' : `, version ${version}`}, changed{' '}
        <Moment at={changedAt} />
      </p>
    </article>
  );
}

function NewVocabulary({ collection }: { readonly collection: string | null }): ReactNode {
  const [name, setName] = useState('');
  const open = (made: string): void => {
    navigate(vocabularyHref(made, collection));
  };
  return (
    <div className="one-line-row">
      <form
        className="one-line-form"
        aria-label="Make a vocabulary"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== '') open(name.trim());
        }}
      >
        <input
          className="field"
          value={name}
          placeholder="Name of a new vocabulary"
          aria-label="Name of a new vocabulary"
          maxLength={100}
          autoComplete="off"
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <button type="submit" className="button" aria-disabled={name.trim() === ''}>
          Make it
        </button>
      </form>
      <ImportButton name={null} ifVersion={null} onImported={open} />
    </div>
  );
}
