import type { ReactNode } from 'react';
import type { UploadProgress } from '../upload/run-upload.ts';
import type { Upload } from './uploader.tsx';
import './upload-panel.css';

/** How far an upload is, and which files could not be read. */
export function UploadPanel({
  upload,
  onDismiss,
}: {
  readonly upload: Upload;
  readonly onDismiss: () => void;
}): ReactNode {
  const { state, progress, error } = upload;
  return (
    <aside className="upload-panel" aria-label="Upload">
      <p className="upload-panel-title" role="status">
        {title(upload)}
      </p>
      {progress === null ? null : (
        <>
          <progress
            className="upload-panel-bar"
            aria-label="Images taken in"
            max={progress.files}
            value={progress.done + progress.failed + progress.skipped}
          />
          <p className="upload-panel-counts">{counts(progress)}</p>
          <Failures progress={progress} />
        </>
      )}
      {error === null ? null : (
        <p role="alert">
          {error.message} <code>{error.code}</code>
        </p>
      )}
      {state === 'running' ? null : (
        <button type="button" className="button" onClick={onDismiss}>
          Close
        </button>
      )}
    </aside>
  );
}

function Failures({ progress: { failures } }: { readonly progress: UploadProgress }): ReactNode {
  if (failures.length === 0) return null;
  return (
    <ul className="upload-panel-failures" aria-label="Files that failed">
      {failures.map(({ id, path, reason }) => (
        <li key={id}>
          <strong>{path}</strong> {reason}
        </li>
      ))}
    </ul>
  );
}

function title({ state, collection, progress }: Upload): string {
  switch (state) {
    case 'running':
      return `Adding images to ${collection}…`;
    case 'ended':
      return progress?.done === 0
        ? `No image was added to ${collection}`
        : `Images added to ${collection}`;
    case 'failed':
      return 'The upload stopped';
  }
}

function counts({ files, sent, done, failed, skipped }: UploadProgress): string {
  return [
    sent < files ? `${sent} of ${files} sent` : `${files} sent`,
    `${done} done`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
  ].join(', ');
}
