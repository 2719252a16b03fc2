import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../../../store/transaction.ts';

export interface EmbeddingCounts {
  /** Photos that were handed to an encoder, finished or not. */
  readonly begun: number;
  /** Photos whose embedding an encoder gave. */
  readonly ended: number;
  /** Embeddings that were stored. */
  readonly stored: number;
}

/** Notes which worker stored each embedding, in the transaction that does so. */
const TRIGGER = `
  CREATE SCHEMA faults;
  CREATE TABLE faults.stored (worker text NOT NULL);
  CREATE FUNCTION faults.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO faults.stored SELECT current_setting('application_name') FROM now_stored;
      RETURN NULL;
    END $$;
  CREATE TRIGGER note_insert AFTER INSERT ON embeddings REFERENCING NEW TABLE AS now_stored
    FOR EACH STATEMENT EXECUTE FUNCTION faults.note();
  CREATE TRIGGER note_update AFTER UPDATE ON embeddings REFERENCING NEW TABLE AS now_stored
    FOR EACH STATEMENT EXECUTE FUNCTION faults.note();`;

/** How often photos were embedded, against how many embeddings came of it: the difference was work done for nothing. */
export class EmbeddingCount {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async install(db: Queryable): Promise<void> {
    await db.query(TRIGGER);
  }

  /** Where a worker's life writes what it embeds. */
  fileOf(worker: string): string {
    return join(this.#folder, worker);
  }

  /** By the name of a worker's life. */
  async read(db: Queryable): Promise<ReadonlyMap<string, EmbeddingCounts>> {
    const { rows } = await db.query<{ worker: string; stored: number }>(
      'SELECT worker, count(*)::int AS stored FROM faults.stored GROUP BY worker',
    );
    const stored = new Map(rows.map((row) => [row.worker, row.stored]));
    const counts = new Map<string, EmbeddingCounts>();
    for (const worker of await readdir(this.#folder)) {
      const text = await readFile(this.fileOf(worker), 'utf8');
      const [begun, ended] = [sum(text, 'begun'), sum(text, 'ended')];
      counts.set(worker, { begun, ended, stored: stored.get(worker) ?? 0 });
    }
    return counts;
  }
}

function sum(text: string, word: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${word} `));
  return lines.reduce((total, line) => total + Number(line.slice(word.length)), 0);
}
