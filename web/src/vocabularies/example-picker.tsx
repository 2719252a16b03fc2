import { useState, type ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { ThumbImage } from '../components/thumbs.tsx';
import type { ImageThumbFragment } from '../generated/operations.ts';
import { useClient, type PageClient } from '../graphql/client-context.ts';
import { useQuery } from '../graphql/use-query.ts';
import { EXAMPLE_IMAGES, FIND_EXAMPLES } from '../graphql/vocabulary-operations.ts';

interface ExamplePickerProps {
  readonly collection: string;
  /** What is looked for when nothing else is said. */
  readonly searchFor: string;
  /** Of the images that are examples. */
  readonly ids: readonly string[];
  readonly onChange: (ids: readonly string[]) => void;
}

/** Images that show a label: found by a search, or named by their ids. */
export function ExamplePicker({
  collection,
  searchFor,
  ids,
  onChange,
}: ExamplePickerProps): ReactNode {
  const client = useClient();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState<string | null>(null);
  const [chosen] = useQuery(ids.join(' '), (signal) => loadImages(client, ids, signal));
  const known = chosen.state === 'ready' ? chosen.data : [];

  function ask(): void {
    const wish = text.trim();
    if (/^[\w-]*[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(wish) && !ids.includes(wish)) {
      onChange([...ids, wish]);
      setText('');
    } else {
      setAsked(wish === '' ? searchFor : wish);
    }
  }

  return (
    <fieldset className="examples">
      <legend>Example pictures</legend>
      {ids.length === 0 ? null : (
        <ul className="thumbs" aria-label="Examples">
          {ids.map((id) => (
            <li key={id} className="thumb">
              <ExampleImage image={known.find((image) => image.id === id)} id={id} />
              <button
                type="button"
                className="examples-remove"
                onClick={() => {
                  onChange(ids.filter((it) => it !== id));
                }}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="examples-search">
        <input
          className="field"
          value={text}
          placeholder={searchFor === '' ? 'Words or an image’s id' : searchFor}
          aria-label="Find examples by words, or by an image’s id"
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            ask();
          }}
        />
        <button type="button" className="button" onClick={ask}>
          Find
        </button>
      </div>
      {asked === null || asked === '' ? null : (
        <Found
          collection={collection}
          text={asked}
          ids={ids}
          onToggle={(id) => {
            onChange(ids.includes(id) ? ids.filter((it) => it !== id) : [...ids, id]);
          }}
        />
      )}
    </fieldset>
  );
}

function ExampleImage({
  image,
  id,
}: {
  readonly image: ImageThumbFragment | undefined;
  readonly id: string;
}): ReactNode {
  if (image === undefined) return <code className="thumb-caption">{id.slice(0, 12)}…</code>;
  return <ThumbImage image={image} />;
}

function Found({
  collection,
  text,
  ids,
  onToggle,
}: {
  readonly collection: string;
  readonly text: string;
  readonly ids: readonly string[];
  readonly onToggle: (id: string) => void;
}): ReactNode {
  const client = useClient();
  const [query] = useQuery(`${collection} ${text}`, async (signal) => {
    const { search } = await client.execute(FIND_EXAMPLES, { collection, text }, { signal });
    return search.edges.map(({ node }) => node);
  });
  if (query.state === 'loading') return <p className="panel-note">Searching…</p>;
  if (query.state === 'failed') return <Faults faults={[query.error]} />;
  if (query.data.length === 0) return <p className="panel-note">No picture for “{text}”.</p>;
  return (
    <>
      <p className="panel-note">Click the pictures that show it.</p>
      <div className="thumbs" role="group" aria-label={`Pictures for ${text}`}>
        {query.data.map((image) => (
          <button
            key={image.id}
            type="button"
            className="thumb-button"
            aria-pressed={ids.includes(image.id)}
            onClick={() => {
              onToggle(image.id);
            }}
          >
            <ThumbImage image={image} />
          </button>
        ))}
      </div>
    </>
  );
}

async function loadImages(
  client: PageClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly ImageThumbFragment[]> {
  if (ids.length === 0) return [];
  const { nodes } = await client.execute(EXAMPLE_IMAGES, { ids }, { signal });
  return nodes.filter((node): node is ImageThumbFragment => node !== null && 'path' in node);
}
