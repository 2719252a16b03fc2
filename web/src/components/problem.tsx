import { useEffect, useEffectEvent, type ReactNode } from 'react';
import type { ClientError } from '../graphql/client.ts';
import { useIsOnline } from './offline-notice.tsx';
import { Notice } from './notice.tsx';

/** Says what went wrong, and tries again: at a click, or when the network is back. */
export function Problem({
  error,
  onRetry,
}: {
  readonly error: ClientError;
  readonly onRetry: () => void;
}): ReactNode {
  const isOnline = useIsOnline();
  const retry = useEffectEvent(onRetry);
  useEffect(() => {
    if (isOnline) return undefined;
    return () => {
      retry();
    };
  }, [isOnline]);

  return (
    <div role="alert">
      <Notice title={isOnline ? error.message : 'You are offline'}>
        <p className="notice-error-code">
          Code <code>{error.code}</code>
        </p>
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      </Notice>
    </div>
  );
}
