import { useRef, type ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { useClient } from '../graphql/client-context.ts';
import { IMPORT_VOCABULARY, VOCABULARY_EXPORT } from '../graphql/vocabulary-operations.ts';
import { useAction } from '../graphql/use-action.ts';
import type { VocabularyFormat } from '../generated/operations.ts';
import { download } from '../download.ts';

const FORMATS: Readonly<Record<VocabularyFormat, { ending: string; type: string }>> = {
  CSV: { ending: 'csv', type: 'text/csv' },
  JSON: { ending: 'json', type: 'application/json' },
  SKOS: { ending: 'jsonld', type: 'application/ld+json' },
};

/** Saves the newest version as a file. */
export function ExportButtons({ name }: { readonly name: string }): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();

  function save(format: VocabularyFormat): void {
    run(
      async () => {
        const { vocabulary } = await client.execute(VOCABULARY_EXPORT, { name, format });
        return { userErrors: [], text: vocabulary?.export ?? '' };
      },
      ({ text }) => {
        download(`${name}.${FORMATS[format].ending}`, FORMATS[format].type, text);
      },
    );
  }

  return (
    <>
      <div className="action-row" role="group" aria-label="Export">
        {(['CSV', 'JSON', 'SKOS'] as const).map((format) => (
          <button
            key={format}
            type="button"
            className="button"
            aria-disabled={isBusy}
            onClick={() => {
              save(format);
            }}
          >
            Export {format}
          </button>
        ))}
      </div>
      <Faults faults={faults} />
    </>
  );
}

/** Makes a vocabulary, or a new version of one, out of a file. */
export function ImportButton({
  name,
  ifVersion,
  onImported,
}: {
  /** Null: as the file or its name says. */
  readonly name: string | null;
  /** Only over this version; null: whatever there is. */
  readonly ifVersion: number | null;
  readonly onImported: (name: string) => void;
}): ReactNode {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const input = useRef<HTMLInputElement>(null);

  function send(file: File): void {
    run(
      async () => {
        const content = await file.text();
        const format = formatOf(file.name, content);
        // A table holds no name: it is the file's.
        const own = format === 'CSV' ? file.name.replace(/\.[^.]*$/, '') : null;
        const wish = { name: name ?? own, format, content, ifVersion };
        return (await client.execute(IMPORT_VOCABULARY, { input: wish })).importVocabulary;
      },
      ({ vocabulary }) => {
        if (vocabulary !== null) onImported(vocabulary.name);
      },
    );
  }

  return (
    <>
      <input
        ref={input}
        className="visually-hidden"
        type="file"
        accept=".csv,.txt,.json,.jsonld,.skos"
        tabIndex={-1}
        aria-label="File with a vocabulary: CSV, JSON or SKOS in JSON-LD"
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file !== undefined) send(file);
          target.value = ''; // so that the same file may be chosen again
        }}
      />
      <button
        type="button"
        className="button"
        aria-disabled={isBusy}
        title="CSV, JSON or SKOS in JSON-LD"
        onClick={() => {
          if (!isBusy) input.current?.click();
        }}
      >
        {isBusy ? 'Importing…' : 'Import a file'}
      </button>
      <Faults faults={faults} />
    </>
  );
}

/** By the file's name, and JSON with a `@context` is SKOS. */
function formatOf(name: string, content: string): VocabularyFormat {
  if (/\.(csv|txt)$/i.test(name)) return 'CSV';
  return /\.skos$/i.test(name) || content.includes('"@context"') ? 'SKOS' : 'JSON';
}
