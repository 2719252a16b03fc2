import type { ReactNode } from 'react';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { Faults } from '../components/faults.tsx';
import { Link } from '../components/link.tsx';
import { Loaded } from '../components/loaded.tsx';
import { Moment } from '../components/moment.tsx';
import { Notice } from '../components/notice.tsx';
import { count } from '../components/number-words.ts';
import { canEditVocabularies, ReaderNote, TagPage } from '../components/tag-page.tsx';
import type { VocabularyQuery } from '../generated/operations.ts';
import { useClient, type PageClient } from '../graphql/client-context.ts';
import { useAction } from '../graphql/use-action.ts';
import { useQuery } from '../graphql/use-query.ts';
import { DELETE_VOCABULARY, VOCABULARY } from '../graphql/vocabulary-operations.ts';
import { navigate } from '../history.ts';
import { taggingHref, vocabulariesHref } from '../location.ts';
import { LabelTable } from '../vocabularies/label-table.tsx';
import { OpenLabels } from '../vocabularies/open-labels.tsx';
import { loadSaved, type Saved } from '../vocabularies/use-draft.ts';
import { VocabularyEditor } from '../vocabularies/vocabulary-editor.tsx';
import { ExportButtons, ImportButton } from '../vocabularies/vocabulary-file.tsx';
import type { Start } from './start-page.tsx';

type VocabularyDetails = NonNullable<VocabularyQuery['vocabulary']>;

interface VocabularyPageProps {
  readonly start: Start;
  readonly name: string;
  readonly collection: string | null;
}

/** One vocabulary: its labels, its versions, its files. */
export function VocabularyPage({ start, name, collection }: VocabularyPageProps): ReactNode {
  const client = useClient();
  const [query, reload] = useQuery(name, (signal) => loadVocabulary(client, name, signal));
  const scope = { collection, vocabulary: name };
  return (
    <TagPage start={start} section="vocabularies" title={name} scope={scope}>
      <p className="panel-note">
        <Link href={vocabulariesHref(collection)}>All vocabularies</Link>
      </p>
      {canEditVocabularies(start.viewer) ? null : (
        <ReaderNote viewer={start.viewer} what="change vocabularies" reach="for all collections" />
      )}
      <Loaded query={query} onRetry={reload}>
        {(loaded) => <Vocabulary {...{ start, name, collection }} {...loaded} onChange={reload} />}
      </Loaded>
    </TagPage>
  );
}

interface LoadedVocabulary {
  readonly vocabulary: VocabularyDetails | null;
  readonly saved: Saved | null;
}

async function loadVocabulary(
  client: PageClient,
  name: string,
  signal: AbortSignal,
): Promise<LoadedVocabulary> {
  const { vocabulary } = await client.execute(VOCABULARY, { name }, { signal });
  const isOpen = vocabulary?.isOpen ?? false;
  return { vocabulary, saved: isOpen ? null : await loadSaved(client, name, signal) };
}

function Vocabulary({
  start,
  name,
  collection,
  vocabulary,
  saved,
  onChange,
}: VocabularyPageProps & LoadedVocabulary & { readonly onChange: () => void }): ReactNode {
  const canEdit = canEditVocabularies(start.viewer);
  if (vocabulary === null && !canEdit) return <Notice title="There is no such vocabulary" />;
  return (
    <>
      {vocabulary === null ? (
        <p className="panel-note" role="status">
          There is no vocabulary of this name yet: saving makes it.
        </p>
      ) : (
        <Facts vocabulary={vocabulary} collection={collection} />
      )}
      {saved === null ? (
        <OpenLabels name={name} />
      ) : canEdit ? (
        <VocabularyEditor
          name={name}
          loaded={saved}
          collections={start.collections}
          collection={collection ?? start.collections[0].name}
          onSaved={onChange}
        />
      ) : (
        <LabelTable labels={saved.draft.labels} chosen={null} onChoose={null}>
          {null}
        </LabelTable>
      )}
      {vocabulary === null || saved === null ? null : (
        <section>
          <h2 className="panel-subtitle">Files</h2>
          <ExportButtons name={name} />
          {canEdit ? (
            <div className="action-row">
              <ImportButton
                name={name}
                ifVersion={vocabulary.version}
                onImported={() => {
                  window.location.reload(); // everything on show is of the version before
                }}
              />
            </div>
          ) : null}
        </section>
      )}
      {vocabulary === null || vocabulary.isOpen ? null : <Versions vocabulary={vocabulary} />}
      {vocabulary !== null && !vocabulary.isOpen && canEdit && start.viewer.role === 'ADMIN' ? (
        <DeleteButton name={name} collection={collection} />
      ) : null}
    </>
  );
}

function Facts({
  vocabulary: { name, version, labelCount, isOpen, description },
  collection,
}: {
  readonly vocabulary: VocabularyDetails;
  readonly collection: string | null;
}): ReactNode {
  if (isOpen) return <p className="panel-note">{description}</p>;
  return (
    <p className="panel-note">
      Version {version}, {count(labelCount, 'label')}.{' '}
      <Link href={taggingHref({ collection, vocabulary: name })}>Tag a collection with it</Link>
    </p>
  );
}

function Versions({ vocabulary }: { readonly vocabulary: VocabularyDetails }): ReactNode {
  return (
    <section>
      <h2 className="panel-subtitle">Versions</h2>
      <ol className="plain-list" aria-label="Versions" reversed>
        {vocabulary.versions.map(({ version, labelCount, createdAt, createdBy }) => (
          <li key={version}>
            Version {version}: {count(labelCount, 'label')}, <Moment at={createdAt} />
            {createdBy === null ? null : `, by ${createdBy}`}
          </li>
        ))}
      </ol>
    </section>
  );
}

function DeleteButton({
  name,
  collection,
}: {
  readonly name: string;
  readonly collection: string | null;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  return (
    <div className="action-row">
      <ConfirmButton
        label="Delete this vocabulary"
        question={`Delete ${name}?`}
        isBusy={isBusy}
        onConfirm={() => {
          run(
            async () =>
              (await client.execute(DELETE_VOCABULARY, { vocabulary: name })).deleteVocabulary,
            () => {
              navigate(vocabulariesHref(collection));
            },
          );
        }}
      >
        <p>
          It goes with all of its versions, and with its runs, tags and reviews in all collections.
          This can&rsquo;t be undone.
        </p>
      </ConfirmButton>
      <Faults faults={faults} />
    </div>
  );
}
