import type { ReactNode } from 'react';
import { Header } from '../components/header.tsx';
import { PageRefusal } from '../components/page-refusal.tsx';
import { Problem } from '../components/problem.tsx';
import { SelectField } from '../components/select-field.tsx';
import { CompareForm } from '../generations/compare-form.tsx';
import { GenerationActions } from '../generations/generation-actions.tsx';
import { GenerationCard } from '../generations/generation-card.tsx';
import { isSearchable } from '../generations/generation-words.ts';
import { ReindexForm } from '../generations/reindex-form.tsx';
import type { GenerationsQuery } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { GENERATIONS } from '../graphql/generation-operations.ts';
import { useQuery } from '../graphql/use-query.ts';
import { navigate } from '../history.ts';
import { generationsHref } from '../location.ts';
import { useTitle } from '../use-title.ts';
import type { Start } from './start-page.tsx';
import '../styles/panels.css';

/** The embeddings that a collection has, had and could have, and the switch between them. */
export function GenerationsPage({
  start,
  asked,
}: {
  readonly start: Start;
  /** The collection's name; null: the first one. */
  readonly asked: string | null;
}): ReactNode {
  const collection = asked ?? start.collections[0].name;
  useTitle(`Generations of ${collection}`);
  return (
    <>
      <Header start={start} section="generations" collection={collection} />
      {start.viewer.role === 'READER' ? (
        <PageRefusal
          title="Generations are for curators and administrators"
          viewer={start.viewer}
        />
      ) : (
        <main className="page panel-page">
          <h1 className="panel-title">Generations</h1>
          <div className="filter-row">
            <SelectField
              label="Collection"
              value={collection}
              options={start.collections.map(({ name }) => [name, name])}
              onChange={(name) => {
                navigate(generationsHref(name));
              }}
            />
          </div>
          <Generations
            key={collection}
            collection={collection}
            canAct={start.viewer.role === 'ADMIN'}
          />
        </main>
      )}
    </>
  );
}

interface SectionProps {
  readonly collection: string;
  readonly canAct: boolean;
}

function Generations({ collection, canAct }: SectionProps): ReactNode {
  const client = useClient();
  const [query, reload] = useQuery(collection, (signal) =>
    client.execute(GENERATIONS, { collection }, { signal }),
  );
  switch (query.state) {
    case 'loading':
      return (
        <p className="panel-note" role="status">
          Loading…
        </p>
      );
    case 'failed':
      return <Problem error={query.error} onRetry={reload} />;
    case 'ready':
      return <Sections {...{ collection, canAct, onChange: reload }} data={query.data} />;
  }
}

function Sections({
  data: { generations, visionSpaces },
  collection,
  canAct,
  onChange,
}: SectionProps & {
  readonly data: GenerationsQuery;
  readonly onChange: () => void;
}): ReactNode {
  const searchable = generations.filter(isSearchable);
  const [newest, second, ...older] = searchable;
  const [space, ...otherSpaces] = visionSpaces.filter(({ isAvailable }) => isAvailable);
  return (
    <>
      <section>
        <h2 className="visually-hidden">All generations</h2>
        <ol className="panel-list" aria-label="Generations">
          {generations.map((generation) => (
            <li key={generation.id}>
              <GenerationCard generation={generation} onChange={onChange}>
                {canAct ? (
                  <GenerationActions {...{ generation, generations, collection, onChange }} />
                ) : null}
              </GenerationCard>
            </li>
          ))}
        </ol>
        {generations.length === 0 ? (
          <p className="panel-note">
            There is none yet: the first one comes with the first images.
          </p>
        ) : null}
      </section>
      {canAct && space !== undefined ? (
        <section>
          <h2 className="panel-subtitle">Reindex</h2>
          <ReindexForm
            collection={collection}
            visionSpaces={[space, ...otherSpaces]}
            complete={new Set(searchable.map(({ visionSpace }) => visionSpace.id))}
            onChange={onChange}
          />
        </section>
      ) : null}
      {newest === undefined || second === undefined ? null : (
        <section>
          <h2 className="panel-subtitle">Compare</h2>
          <CompareForm collection={collection} generations={[newest, second, ...older]} />
        </section>
      )}
    </>
  );
}
