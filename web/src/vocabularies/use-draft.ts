import { useEffect, useState } from 'react';
import type { PutVocabularyMutation } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import { toClientError } from '../graphql/to-client-error.ts';
import { useAction, type ActionFault } from '../graphql/use-action.ts';
import { PUT_VOCABULARY, VOCABULARY_EXPORT } from '../graphql/vocabulary-operations.ts';
import {
  changesOf,
  draftFaults,
  EMPTY_DRAFT,
  hasChanges,
  labelInput,
  parseDraft,
  rebase,
  type Draft,
  type DraftChanges,
} from './vocabulary-draft.ts';

/** A version and the vocabulary as it says. Version 0: there is none yet. */
export interface Saved {
  readonly version: number;
  readonly draft: Draft;
}

export interface DraftEditing {
  readonly draft: Draft;
  readonly changes: DraftChanges;
  /** The version that is edited. */
  readonly version: number;
  /** The version that somebody else saved meanwhile; null: none that is known. */
  readonly newest: number | null;
  readonly isBusy: boolean;
  readonly faults: readonly ActionFault[];
  readonly edit: (draft: Draft) => void;
  readonly save: () => void;
  readonly drop: () => void;
  /** Takes over the newest version with the changes on top of it. */
  readonly takeOver: () => void;
}

/** A vocabulary while it is edited. It is only written over the version that was read; else both are put together first. */
export function useDraft(name: string, loaded: Saved, onSaved: () => void): DraftEditing {
  const client = useClient();
  const { isBusy, faults, run } = useAction();
  const [base, setBase] = useState(loaded);
  const [draft, setDraft] = useState(loaded.draft);
  const [newest, setNewest] = useState<Saved | null>(null);
  const [ownFaults, setOwnFaults] = useState<readonly ActionFault[]>([]);
  const changes = changesOf(base.draft, draft);
  useLeaveWarning(hasChanges(changes));

  async function put(): Promise<PutVocabularyMutation['putVocabulary']> {
    const { description, labels } = draft;
    const input = { name, description, labels: labels.map(labelInput), ifVersion: base.version };
    const { putVocabulary: answer } = await client.execute(PUT_VOCABULARY, { input });
    if (answer.userErrors.some(({ code }) => code === 'CONFLICT')) {
      setNewest(await loadSaved(client, name));
    }
    if (answer.vocabulary !== null && answer.userErrors.length === 0) {
      setBase({ version: answer.vocabulary.version, draft });
      onSaved();
    }
    return answer;
  }

  return {
    draft,
    changes,
    version: base.version,
    newest: newest?.version ?? null,
    isBusy,
    faults: ownFaults.length > 0 ? ownFaults : faults,
    edit: (next) => {
      setDraft(next);
      setOwnFaults([]);
    },
    save: () => {
      const wrong = draftFaults(draft).map((message) => ({ code: 'BAD_USER_INPUT', message }));
      setOwnFaults(wrong);
      if (wrong.length === 0) run(put, () => undefined);
    },
    drop: () => {
      const start = newest ?? base;
      setBase(start);
      setDraft(start.draft);
      setNewest(null);
      setOwnFaults([]);
    },
    takeOver: () => {
      if (newest === null) return;
      setDraft(rebase(base.draft, draft, newest.draft));
      setBase(newest);
      setNewest(null);
    },
  };
}

/** The newest version. */
export async function loadSaved(
  client: ReturnType<typeof useClient>,
  name: string,
  signal?: AbortSignal,
): Promise<Saved> {
  const variables = { name, format: 'JSON' } as const;
  const options = signal === undefined ? {} : { signal };
  const { vocabulary } = await client.execute(VOCABULARY_EXPORT, variables, options);
  if (vocabulary === null) return { version: 0, draft: EMPTY_DRAFT };
  try {
    return { version: vocabulary.version, draft: parseDraft(vocabulary.export) };
  } catch (error) {
    throw toClientError(error);
  }
}

/** The browser asks before it leaves what isn't saved. */
function useLeaveWarning(isUnsaved: boolean): void {
  useEffect(() => {
    if (!isUnsaved) return undefined;
    const warn = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => {
      window.removeEventListener('beforeunload', warn);
    };
  }, [isUnsaved]);
}
