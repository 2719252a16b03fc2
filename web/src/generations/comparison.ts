import type { CompareSideQuery } from '../generated/operations.ts';
import type { PageClient } from '../graphql/client-context.ts';
import type { ClientError } from '../graphql/client.ts';
import { COMPARE_SIDE } from '../graphql/generation-operations.ts';
import { toClientError } from '../graphql/to-client-error.ts';

/** How many results of each side are compared. */
export const DEPTH = 10;

export type SideAnswer =
  | { readonly state: 'ready'; readonly search: CompareSideQuery['search'] }
  | { readonly state: 'failed'; readonly error: ClientError };

export interface QueryComparison {
  readonly query: string;
  readonly left: SideAnswer;
  readonly right: SideAnswer;
  /** Ids of images that both sides found; null when one has no answer. */
  readonly common: ReadonlySet<string> | null;
  /** The longer side's number of results. */
  readonly depth: number;
}

/** A generation that is asked. */
export interface Side {
  readonly title: string;
  /** Its id; null: whichever is live. */
  readonly generation: string | null;
}

/** The same query to two generations. One side's error doesn't spoil the other's answer. */
export async function compareQuery(
  client: PageClient,
  {
    collection,
    query,
    sides,
  }: {
    readonly collection: string;
    readonly query: string;
    readonly sides: readonly [Side, Side];
  },
  signal: AbortSignal,
): Promise<QueryComparison> {
  const ask = async ({ generation }: Side): Promise<SideAnswer> => {
    const variables = { collection, text: query, generation, first: DEPTH };
    return client.execute(COMPARE_SIDE, variables, { signal }).then(
      ({ search }): SideAnswer => ({ state: 'ready', search }),
      (error: unknown): SideAnswer => ({ state: 'failed', error: toClientError(error) }),
    );
  };
  const [left, right] = await Promise.all([ask(sides[0]), ask(sides[1])]);
  const [leftIds, rightIds] = [idsOf(left), idsOf(right)];
  return {
    ...{ query, left, right },
    common:
      leftIds === null || rightIds === null
        ? null
        : new Set([...leftIds].filter((id) => rightIds.has(id))),
    depth: Math.max(leftIds?.size ?? 0, rightIds?.size ?? 0),
  };
}

function idsOf(answer: SideAnswer): Set<string> | null {
  if (answer.state === 'failed') return null;
  return new Set(answer.search.edges.map(({ node }) => node.id));
}
