import { useSyncExternalStore, type ReactNode } from 'react';

export function OfflineNotice(): ReactNode {
  const isOnline = useIsOnline();
  return (
    <p className="offline-notice" role="status">
      {isOnline ? null : 'You are offline. What you see may be old.'}
    </p>
  );
}

export function useIsOnline(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}
