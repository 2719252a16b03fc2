import { useState } from 'react';
import type { UserErrorCode } from '../generated/operations.ts';
import { toClientError } from './to-client-error.ts';

/** Why something was not done. */
export interface ActionFault {
  readonly code: string;
  readonly message: string;
}

interface Payload {
  readonly userErrors: readonly { readonly code: UserErrorCode; readonly message: string }[];
}

export interface Action {
  readonly isBusy: boolean;
  /** Of the last attempt; empty when it succeeded. */
  readonly faults: readonly ActionFault[];
  /** Does one thing at a time: what comes meanwhile is not done. `succeed` is called unless the API refused. */
  readonly run: <Answer extends Payload>(
    mutate: () => Promise<Answer>,
    succeed: (answer: Answer) => void,
  ) => void;
}

/** A mutation at somebody's wish, and what was wrong with it. */
export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [faults, setFaults] = useState<readonly ActionFault[]>([]);

  async function attempt<Answer extends Payload>(
    mutate: () => Promise<Answer>,
    succeed: (answer: Answer) => void,
  ): Promise<void> {
    setIsBusy(true);
    setFaults([]);
    try {
      const answer = await mutate();
      setFaults(answer.userErrors);
      if (answer.userErrors.length === 0) succeed(answer);
    } catch (error) {
      setFaults([toClientError(error)]);
    } finally {
      setIsBusy(false);
    }
  }

  return {
    isBusy,
    faults,
    run: (mutate, succeed) => {
      if (!isBusy) void attempt(mutate, succeed);
    },
  };
}
