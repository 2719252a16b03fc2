import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react';
import { useClient } from '../graphql/client-context.ts';
import type { ClientError } from '../graphql/client.ts';
import { toClientError } from '../graphql/to-client-error.ts';
import { runUpload, type UploadProgress } from '../upload/run-upload.ts';
import { UploadPanel } from './upload-panel.tsx';
import './uploader.css';

/** A button, and the whole window for files that are dropped; shows how far the upload is. */
export function Uploader({
  collection,
  onChange,
}: {
  readonly collection: string;
  /** Called when there are new images. */
  readonly onChange: () => void;
}): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const [upload, start, dismiss] = useUpload(collection, onChange);
  const isDropping = useFileDrop(start);
  const isRunning = upload?.state === 'running';

  return (
    <>
      <input
        ref={input}
        className="uploader-input"
        type="file"
        accept="image/*"
        multiple
        tabIndex={-1}
        aria-label="Image files to add"
        onChange={({ target }) => {
          start([...(target.files ?? [])]);
          target.value = ''; // so that the same files may be chosen again
        }}
      />
      <button
        type="button"
        className="button"
        aria-disabled={isRunning}
        onClick={() => {
          if (!isRunning) input.current?.click();
        }}
      >
        Add images
      </button>
      {isDropping ? <p className="uploader-drop">Drop images to add them to {collection}</p> : null}
      {upload === null ? null : <UploadPanel upload={upload} onDismiss={dismiss} />}
    </>
  );
}

export interface Upload {
  readonly state: 'running' | 'ended' | 'failed';
  readonly collection: string;
  readonly progress: UploadProgress | null;
  readonly error: ClientError | null;
}

function useUpload(
  collection: string,
  onChange: () => void,
): readonly [Upload | null, (files: readonly File[]) => void, () => void] {
  const client = useClient();
  const [upload, setUpload] = useState<Upload | null>(null);
  const abort = useRef<AbortController>(null);
  const reportChange = useEffectEvent(onChange);
  const [changes, setChanges] = useState(0);
  useEffect(
    () => () => {
      abort.current?.abort();
    },
    [],
  );
  useEffect(() => {
    if (changes > 0) reportChange();
  }, [changes]);

  async function run(files: readonly File[]): Promise<void> {
    const { signal } = (abort.current = new AbortController());
    let current: Upload = { state: 'running', collection, progress: null, error: null };
    const show = (change: Partial<Upload>): void => {
      current = { ...current, ...change };
      if (!signal.aborted) setUpload(current);
    };
    try {
      for await (const progress of runUpload(client, collection, files, signal)) {
        show({ progress });
      }
      show({ state: 'ended' });
    } catch (error) {
      show({ state: 'failed', error: toClientError(error) });
    }
    if (!signal.aborted && (current.progress?.done ?? 0) > 0) setChanges((count) => count + 1);
  }

  return [
    upload,
    (files) => {
      if (files.length > 0 && upload?.state !== 'running') void run(files);
    },
    () => {
      setUpload(null);
    },
  ];
}

/** Whether files are held over the window; `onDrop` gets them. */
function useFileDrop(onDrop: (files: readonly File[]) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const drop = useEffectEvent(onDrop);
  useEffect(() => {
    const listeners = new AbortController();
    const listen = (
      type: 'dragover' | 'dragleave' | 'drop',
      act: (event: DragEvent) => void,
    ): void => {
      const onEvent = (event: DragEvent): void => {
        if (event.dataTransfer?.types.includes('Files') !== true) return;
        event.preventDefault(); // else the browser opens the file
        act(event);
      };
      window.addEventListener(type, onEvent, { signal: listeners.signal });
    };
    listen('dragover', () => {
      setIsOver(true);
    });
    listen('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) setIsOver(false);
    });
    listen('drop', ({ dataTransfer }) => {
      setIsOver(false);
      drop([...(dataTransfer?.files ?? [])]);
    });
    return () => {
      listeners.abort();
    };
  }, []);
  return isOver;
}
