import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { ClassifyImageQuery } from '../generated/operations.ts';
import { useClient } from '../graphql/client-context.ts';
import type { ClientError } from '../graphql/client.ts';
import { CLASSIFY_IMAGE } from '../graphql/operations.ts';
import { toClientError } from '../graphql/to-client-error.ts';
import './classify-form.css';

type LabelShares = ClassifyImageQuery['classifyImage'];

type Answer =
  | { readonly state: 'none' | 'loading' }
  | { readonly state: 'ready'; readonly shares: LabelShares }
  | { readonly state: 'failed'; readonly error: ClientError };

/** Asks which of some labels fits an image best. */
export function ClassifyForm({ imageId }: { readonly imageId: string }): ReactNode {
  const [text, setText] = useState('');
  const [answer, classify] = useClassification(imageId);
  const labels = parseLabels(text);

  return (
    <section className="classify" aria-labelledby="classify-title">
      <h3 id="classify-title" className="classify-title">
        What is this?
      </h3>
      <form
        className="classify-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (labels.length > 0) classify(labels);
        }}
      >
        <label className="visually-hidden" htmlFor="classify-labels">
          Labels, separated by commas
        </label>
        <input
          id="classify-labels"
          className="field"
          value={text}
          placeholder="cat, dog, lighthouse"
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        <button type="submit" className="button">
          {answer.state === 'loading' ? 'Comparing…' : 'Compare'}
        </button>
      </form>
      <div aria-live="polite" aria-busy={answer.state === 'loading'}>
        {answer.state === 'ready' ? <Shares shares={answer.shares} /> : null}
        {answer.state === 'failed' ? (
          <p className="classify-note">
            {answer.error.message} <code>{answer.error.code}</code>
          </p>
        ) : null}
      </div>
    </section>
  );
}

function Shares({ shares }: { readonly shares: LabelShares }): ReactNode {
  return (
    <>
      <ol className="shares">
        {shares.map(({ label, share, score }) => (
          <li key={label} className="shares-row">
            <span>{label}</span>
            <span className="shares-number" title={`Cosine ${score.toFixed(2)}`}>
              {formatShare(share)}
            </span>
            <svg className="shares-bar" aria-hidden="true">
              <rect className="shares-bar-full" width="100%" height="100%" />
              <rect className="shares-bar-part" width={`${share * 100}%`} height="100%" />
            </svg>
          </li>
        ))}
      </ol>
      <p className="classify-note">
        Shares among these labels. They add up to 100 %, also when none of them fits.
      </p>
    </>
  );
}

/** Asking again drops the question before. */
function useClassification(
  imageId: string,
): readonly [Answer, (labels: readonly string[]) => void] {
  const client = useClient();
  const [answer, setAnswer] = useState<Answer>({ state: 'none' });
  const inFlight = useRef<AbortController>(null);
  useEffect(
    () => () => {
      inFlight.current?.abort();
    },
    [],
  );

  async function classify(labels: readonly string[]): Promise<void> {
    inFlight.current?.abort();
    const { signal } = (inFlight.current = new AbortController());
    setAnswer({ state: 'loading' });
    const next = await client.execute(CLASSIFY_IMAGE, { imageId, labels }, { signal }).then(
      ({ classifyImage }): Answer => ({ state: 'ready', shares: classifyImage }),
      (error: unknown): Answer => ({ state: 'failed', error: toClientError(error) }),
    );
    if (!signal.aborted) setAnswer(next);
  }

  return [
    answer,
    (labels) => {
      void classify(labels);
    },
  ];
}

function parseLabels(text: string): readonly string[] {
  const labels = text.split(',').map((label) => label.trim());
  return [...new Set(labels.filter((label) => label !== ''))];
}

function formatShare(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`;
}
