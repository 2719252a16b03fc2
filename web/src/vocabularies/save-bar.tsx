import type { ReactNode } from 'react';
import { Faults } from '../components/faults.tsx';
import { count } from '../components/number-words.ts';
import type { ActionFault } from '../graphql/use-action.ts';
import { hasChanges, type DraftChanges } from './vocabulary-draft.ts';
import './save-bar.css';

/** What would be saved, and the buttons that save it or drop it. */
export function SaveBar({
  changes,
  nextVersion,
  faults,
  isBusy,
  newest,
  onSave,
  onDrop,
  onRebase,
}: {
  readonly changes: DraftChanges;
  readonly nextVersion: number;
  readonly faults: readonly ActionFault[];
  readonly isBusy: boolean;
  /** The version that somebody else saved meanwhile; null: none. */
  readonly newest: number | null;
  readonly onSave: () => void;
  readonly onDrop: () => void;
  readonly onRebase: () => void;
}): ReactNode {
  if (!hasChanges(changes) && faults.length === 0) return null;
  return (
    <section className="save-bar" aria-label="Changes">
      {newest === null ? (
        <Faults faults={faults} />
      ) : (
        <div role="alert" className="faults">
          <p>
            Somebody saved version {newest} while you were editing. Nothing of yours is lost: take
            over version {newest} and put your changes on top of it, look at it, then save.{' '}
            <code>CONFLICT</code>
          </p>
        </div>
      )}
      <p className="save-bar-words" role="status">
        {changeWords(changes)}
      </p>
      <div className="action-row">
        {newest === null ? (
          <button
            type="button"
            className="button button-primary"
            aria-disabled={isBusy}
            onClick={onSave}
          >
            Save as version {nextVersion}
          </button>
        ) : (
          <button
            type="button"
            className="button button-primary"
            aria-disabled={isBusy}
            onClick={onRebase}
          >
            Put my changes on top of version {newest}
          </button>
        )}
        <button type="button" className="button" aria-disabled={isBusy} onClick={onDrop}>
          Drop my changes
        </button>
      </div>
    </section>
  );
}

function changeWords({ added, changed, removed, isDescribedAnew }: DraftChanges): string {
  const parts = [
    ...(added.length === 0 ? [] : [`${count(added.length, 'label')} added`]),
    ...(changed.length === 0 ? [] : [`${count(changed.length, 'label')} changed`]),
    ...(removed.length === 0 ? [] : [`${count(removed.length, 'label')} removed`]),
    ...(isDescribedAnew ? ['another description'] : []),
  ];
  return parts.length === 0 ? 'Nothing is changed.' : `Not saved yet: ${parts.join(', ')}.`;
}
