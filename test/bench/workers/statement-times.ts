import type { Pool, PoolClient } from 'pg';

/** What a statement does in the ledger; null: nothing. */
export type LedgerPart = 'plan' | 'claim' | 'complete' | 'extend' | 'look';

const PARTS: readonly (readonly [RegExp, LedgerPart])[] = [
  [/INSERT INTO job_items|SET state = 'QUEUED'|plan = \$4/, 'plan'],
  [/WITH free AS|SET lost_leases|SET state = 'RUNNING'/, 'claim'],
  [/SELECT FROM jobs WHERE id = \$1 AND state = 'RUNNING'/, 'claim'],
  [/WITH held AS|attempts = attempts - 1, lease_token = NULL/, 'complete'],
  [/SET lease_until = \$2/, 'extend'],
  [/\bjob_items\b|\bjobs\b/, 'look'],
];

function partOf(sql: string): LedgerPart | null {
  return PARTS.find(([pattern]) => pattern.test(sql))?.[1] ?? null;
}

/**
 * Times what goes through a pool to the ledger, as its caller sees it: from a statement's sending to its answer. BEGIN and COMMIT count
 * where the transaction holds nothing but ledger statements; the one that stores a batch's results would be there without a ledger, too.
 */
export class StatementTimes {
  readonly ms: Record<LedgerPart, number> = { plan: 0, claim: 0, complete: 0, extend: 0, look: 0 };
  readonly count: Record<LedgerPart, number> = {
    plan: 0,
    claim: 0,
    complete: 0,
    extend: 0,
    look: 0,
  };
  readonly #known = new WeakSet<PoolClient>();

  constructor(pool: Pool) {
    pool.on('acquire', (client) => {
      if (this.#known.has(client)) return;
      this.#known.add(client);
      this.#wrap(client);
    });
  }

  reset(): void {
    for (const part of Object.keys(this.ms) as LedgerPart[]) {
      this.ms[part] = 0;
      this.count[part] = 0;
    }
  }

  #wrap(client: PoolClient): void {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let transaction: Transaction | null = null;
    const ended = (sql: string, ms: number): void => {
      if (sql.startsWith('BEGIN')) transaction = { part: null, isMixed: false, framesMs: ms };
      else if (sql === 'COMMIT' || sql === 'ROLLBACK') {
        if (transaction?.part && !transaction.isMixed) {
          this.ms[transaction.part] += transaction.framesMs + ms;
        }
        transaction = null;
      } else {
        const part = partOf(sql);
        if (transaction) note(transaction, part);
        if (part === null) return;
        this.ms[part] += ms;
        this.count[part]++;
      }
    };
    const timed = (...args: unknown[]): unknown => {
      const startedAt = performance.now();
      const sql = textOf(args[0]);
      const last = args.at(-1);
      if (typeof last === 'function') {
        const callback = last as (...results: unknown[]) => void;
        const told = (...results: unknown[]): void => {
          ended(sql, performance.now() - startedAt);
          callback(...results);
        };
        return query(...args.slice(0, -1), told);
      }
      const result = query(...args);
      if (!(result instanceof Promise)) return result;
      return result.finally(() => {
        ended(sql, performance.now() - startedAt);
      });
    };
    Object.assign(client, { query: timed });
  }
}

interface Transaction {
  part: LedgerPart | null;
  isMixed: boolean;
  readonly framesMs: number;
}

function note(transaction: Transaction, part: LedgerPart | null): void {
  if (part === null) transaction.isMixed = true;
  else transaction.part ??= part;
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  const { text } = query as { readonly text?: unknown };
  return typeof text === 'string' ? text : '';
}
