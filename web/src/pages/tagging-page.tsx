import type { ReactNode } from 'react';
import { CollectionField } from '../components/collection-field.tsx';
import { Link } from '../components/link.tsx';
import { Loaded } from '../components/loaded.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Notice } from '../components/notice.tsx';
import { ReaderNote, TagPage } from '../components/tag-page.tsx';
import { useVocabularyNames, VocabularyField } from '../components/vocabulary-field.tsx';
import { navigate } from '../history.ts';
import { taggingHref, vocabulariesHref, vocabularyHref, type TagScope } from '../location.ts';
import { RunCard } from '../tagging/run-card.tsx';
import { TagRunForm } from '../tagging/tag-run-form.tsx';
import { useTagRuns } from '../tagging/use-tag-runs.ts';
import type { Start } from './start-page.tsx';

/** Where a collection is tagged with a vocabulary, and what came of it before. */
export function TaggingPage({
  start,
  scope,
}: {
  readonly start: Start;
  readonly scope: TagScope;
}): ReactNode {
  const collection = scope.collection ?? start.collections[0].name;
  const [names, reload] = useVocabularyNames();
  const isReader = start.viewer.role === 'READER';
  return (
    <TagPage start={start} section="tagging" title="Tagging" scope={{ ...scope, collection }}>
      {isReader ? <ReaderNote viewer={start.viewer} what="tag images or take tags back" /> : null}
      <Loaded query={names} onRetry={reload}>
        {(known) => (
          <>
            <div className="filter-row">
              <CollectionField
                collections={start.collections}
                value={collection}
                onChange={(name) => {
                  navigate(taggingHref({ ...scope, collection: name }));
                }}
              />
              <VocabularyField
                names={known}
                value={isReader ? scope.vocabulary : (scope.vocabulary ?? known[0] ?? null)}
                none={isReader ? 'Any' : null}
                onChange={(vocabulary) => {
                  navigate(taggingHref({ collection, vocabulary }));
                }}
              />
            </div>
            <Tagging
              key={collection}
              collection={collection}
              vocabulary={scope.vocabulary ?? known[0] ?? null}
              filter={scope.vocabulary}
              canAct={!isReader}
            />
          </>
        )}
      </Loaded>
    </TagPage>
  );
}

interface TaggingProps {
  readonly collection: string;
  /** What is tagged with; null: there is no vocabulary. */
  readonly vocabulary: string | null;
  /** Of which vocabulary runs are listed; null: any. */
  readonly filter: string | null;
  readonly canAct: boolean;
}

function Tagging({ collection, vocabulary, filter, canAct }: TaggingProps): ReactNode {
  const runs = useTagRuns({ collection, vocabulary: filter });
  const onChange = runs.reload;
  return (
    <>
      {canAct && vocabulary === null ? (
        <Notice title="There is no vocabulary to tag with">
          <Link className="button" href={vocabulariesHref(collection)}>
            Make one
          </Link>
        </Notice>
      ) : null}
      {canAct && vocabulary !== null ? (
        <section>
          <h2 className="panel-subtitle">
            A new run with <Link href={vocabularyHref(vocabulary, collection)}>{vocabulary}</Link>
          </h2>
          <TagRunForm
            key={vocabulary}
            collection={collection}
            vocabulary={vocabulary}
            onChange={onChange}
          />
        </section>
      ) : null}
      <section>
        <h2 className="panel-subtitle">Runs</h2>
        <Loaded query={runs.query} onRetry={runs.reload}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="panel-note">There is no run yet.</p>
            ) : (
              <ol className="panel-list" aria-label="Runs">
                {items.map((run) => (
                  <li key={run.id}>
                    <RunCard {...{ run, collection, canAct, onChange }} />
                  </li>
                ))}
              </ol>
            )
          }
        </Loaded>
        <MoreButton pages={runs} />
      </section>
    </>
  );
}
