import { useState, type ReactNode } from 'react';
import { TextField } from '../components/text-field.tsx';
import type { CollectionSummary } from '../pages/start-page.tsx';
import { AddLabelForm } from './add-label-form.tsx';
import { LabelForm } from './label-form.tsx';
import { LabelTable } from './label-table.tsx';
import { SaveBar } from './save-bar.tsx';
import { useDraft, type Saved } from './use-draft.ts';
import { newLabel, removeLabel, replaceLabel } from './vocabulary-draft.ts';

/** All labels of a vocabulary, to be changed one by one and saved as one version. */
export function VocabularyEditor({
  name,
  loaded,
  collections,
  collection: asked,
  onSaved,
}: {
  readonly name: string;
  readonly loaded: Saved;
  readonly collections: readonly CollectionSummary[];
  /** Where labels are tried at first. */
  readonly collection: string;
  readonly onSaved: () => void;
}): ReactNode {
  const editing = useDraft(name, loaded, onSaved);
  const { draft, edit } = editing;
  const [chosen, setChosen] = useState<string | null>(null);
  const [collection, setCollection] = useState(asked);
  const label = draft.labels.find(({ key }) => key === chosen);
  return (
    <>
      <TextField
        label="Description"
        value={draft.description}
        maxLength={2000}
        onChange={(description) => {
          edit({ ...draft, description });
        }}
      />
      <AddLabelForm
        names={draft.labels.map((it) => it.name)}
        onAdd={(added) => {
          const label = newLabel(added);
          edit({ ...draft, labels: [label, ...draft.labels] });
          setChosen(label.key);
        }}
      />
      <LabelTable labels={draft.labels} chosen={chosen} onChoose={setChosen}>
        {label === undefined ? null : (
          <LabelForm
            key={label.key}
            label={label}
            names={draft.labels.map((it) => it.name)}
            collections={collections}
            collection={collection}
            onCollection={setCollection}
            onChange={(changed) => {
              edit(replaceLabel(draft, changed));
            }}
            onRemove={() => {
              edit(removeLabel(draft, label));
              setChosen(null);
            }}
          />
        )}
      </LabelTable>
      <SaveBar
        changes={editing.changes}
        nextVersion={editing.version + 1}
        faults={editing.faults}
        isBusy={editing.isBusy}
        newest={editing.newest}
        onSave={editing.save}
        onRebase={editing.takeOver}
        onDrop={() => {
          editing.drop();
          setChosen(null);
        }}
      />
    </>
  );
}
