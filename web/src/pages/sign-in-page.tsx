import { useEffect, useState, type ReactNode } from 'react';
import { Code } from '../components/notice.tsx';
import { toClientError } from '../graphql/to-client-error.ts';
import { redirect } from '../history.ts';
import { signInToken } from '../location.ts';
import { forgetResults } from '../results/use-results.ts';
import { signIn, type Credentials } from '../session.ts';
import './sign-in-page.css';

type Attempt = 'none' | 'signing in' | 'link refused' | 'key refused' | { readonly fault: string };

/** Takes the one-time link that the server prints, or an API key. */
export function SignInPage({
  next,
}: {
  /** Where to go on. */
  readonly next: string;
}): ReactNode {
  const [attempt, setAttempt] = useState<Attempt>(
    signInToken(window.location.hash) === null ? 'none' : 'signing in',
  );

  async function enter(credentials: Credentials): Promise<void> {
    setAttempt('signing in');
    try {
      if (await signIn(credentials)) {
        forgetResults();
        redirect(next);
      } else {
        setAttempt('token' in credentials ? 'link refused' : 'key refused');
      }
    } catch (error) {
      setAttempt({ fault: toClientError(error).message });
    }
  }

  useEffect(() => {
    document.title = 'Sign in · ShareLock Search';
    const useLink = (): void => {
      const token = signInToken(window.location.hash);
      if (token === null) return;
      redirect('/sign-in'); // a used token is no good in the history
      void enter({ token });
    };
    useLink();
    window.addEventListener('hashchange', useLink);
    return () => {
      window.removeEventListener('hashchange', useLink);
    };
  }, []);

  return (
    <main className="sign-in">
      <img src="/favicon.svg" alt="" width={44} height={44} />
      <h1 className="sign-in-title">Sign in to ShareLock Search</h1>
      <div role="status">{messageOf(attempt)}</div>
      <ApiKeyForm
        isBusy={attempt === 'signing in'}
        onSubmit={(apiKey) => {
          void enter({ apiKey });
        }}
      />
      <div className="sign-in-help">
        <p>
          No key at hand? A sign-in link is printed when the server starts, and whenever you run
          this on its computer:
        </p>
        <Code>bin/sharelock sign-in</Code>
      </div>
    </main>
  );
}

function ApiKeyForm({
  isBusy,
  onSubmit,
}: {
  readonly isBusy: boolean;
  readonly onSubmit: (apiKey: string) => void;
}): ReactNode {
  const [apiKey, setApiKey] = useState('');
  return (
    <form
      className="sign-in-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (apiKey.trim() !== '' && !isBusy) onSubmit(apiKey.trim());
      }}
    >
      <label htmlFor="api-key">API key</label>
      <input
        id="api-key"
        className="field"
        type="password"
        value={apiKey}
        placeholder="slk_…"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setApiKey(event.target.value);
        }}
      />
      <button type="submit" className="button button-primary" aria-disabled={isBusy}>
        {isBusy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}

function messageOf(attempt: Attempt): ReactNode {
  if (typeof attempt === 'object') {
    return <p className="sign-in-fault">{attempt.fault} Try again in a moment.</p>;
  }
  switch (attempt) {
    case 'none':
    case 'signing in':
      return null;
    case 'link refused':
      return (
        <p className="sign-in-fault">
          This sign-in link was used already or is too old. <code>bin/sharelock start</code> and{' '}
          <code>bin/sharelock sign-in</code> print a new one.
        </p>
      );
    case 'key refused':
      return (
        <p className="sign-in-fault">
          This key isn&rsquo;t in force. Check that all of it was copied, from <code>slk_</code> on.
        </p>
      );
  }
}
