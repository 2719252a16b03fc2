import type { Database } from '../../../store/database.ts';
import type { EmbeddingCounts } from './embedding-count.ts';
import { patientRows } from './patient-query.ts';
import type { Victim } from './victims.ts';

export interface KillLine {
  readonly victims: readonly Victim[];
  /** What they ended; null: nothing that embeds. */
  readonly lives: readonly (string | null)[];
  /** What was under way. */
  readonly phase: string;
  readonly waitMs: number;
  /** From the kill until everything was up again. */
  readonly upMs: number;
}

interface Readings {
  readonly database: Database;
  readonly counts: ReadonlyMap<string, EmbeddingCounts>;
}

/** What the kills cost, and what they broke. */
export class Report {
  readonly faults: string[] = [];
  readonly #print: (line: string) => void;
  readonly #kills = { worker: 0, API: 0, Postgres: 0 };
  #lostItems = 0;
  #embeddings: ReadonlyMap<string, EmbeddingCounts> = new Map();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  get kills(): number {
    return this.#kills.worker + this.#kills.API + this.#kills.Postgres;
  }

  /** Items that were taken from workers which were gone, or whose database was. */
  get lostItems(): number {
    return this.#lostItems;
  }

  /** Photos embedded for nothing: an encoder had finished them, and what it gave was never stored. */
  get repeated(): number {
    return this.#sum(({ ended, stored }) => ended - stored);
  }

  /** The same, with those an encoder had been given and not finished. */
  get repeatedAtMost(): number {
    return this.#sum(({ begun, stored }) => begun - stored);
  }

  addFaults(when: string, faults: readonly string[]): void {
    for (const fault of faults) {
      this.faults.push(`${when}: ${fault}`);
      this.#print(`FAULT ${when}: ${fault}`);
    }
  }

  async addKills(
    { victims, lives, phase, waitMs, upMs }: KillLine,
    faults: readonly string[],
    { database, counts }: Readings,
  ): Promise<void> {
    for (const { group } of victims) this.#kills[group]++;
    const before = this.#lostItems;
    const [row] = await patientRows<{ lost: number; open: number; images: number }>(
      database.pool,
      `SELECT (SELECT coalesce(sum(lost_leases), 0) FROM job_items)::int AS lost,
         (SELECT count(*) FROM job_items WHERE state IN ('PENDING', 'RUNNING'))::int AS open,
         (SELECT count(*) FROM images)::int AS images`,
    );
    const { lost = 0, open, images } = row ?? {};
    this.#lostItems = lost;
    this.#embeddings = counts;
    const names = victims.map(({ name }) => name).join(' and ');
    const story = `kill ${this.kills}: ${names} in ${phase} after ${waitMs} ms, up in ${Math.round(upMs)} ms`;
    const cost = `${lost - before} items given back; ${images} images, ${open} items open`;
    const wasted = lives.flatMap((life) => {
      const found = counts.get(life ?? '');
      if (found === undefined) return [];
      const { begun, ended, stored } = found;
      return [`; ${life} embedded ${ended - stored} for nothing, had begun ${begun - ended} more`];
    });
    this.#print(`${story}; ${cost}${wasted.join('')}; ${faults.length} faults`);
    this.addFaults(`kill ${this.kills}`, faults);
  }

  setEmbeddings(counts: ReadonlyMap<string, EmbeddingCounts>): void {
    this.#embeddings = counts;
  }

  /** The last lines. */
  summary(): readonly string[] {
    const { worker, API, Postgres } = this.#kills;
    const perKill = (count: number): string => (count / Math.max(1, this.kills)).toFixed(1);
    const stored = this.#sum((one) => one.stored);
    return [
      `${stored} embeddings stored; ${this.repeated} photos (${perKill(this.repeated)} a kill) embedded and not stored, with unfinished ones at most ${this.repeatedAtMost} (${perKill(this.repeatedAtMost)} a kill)`,
      `worst life of a worker: ${this.#worst()}`,
      `${this.lostItems} items given back, ${perKill(this.lostItems)} a kill`,
      `${this.kills} kills (${worker} W, ${API} A, ${Postgres} P), ${this.faults.length} faults`,
    ];
  }

  #worst(): string {
    const lives = [...this.#embeddings].map(([name, { ended, stored }]) => ({
      ...{ name, lost: ended - stored },
    }));
    const [worst] = lives.sort((a, b) => b.lost - a.lost);
    return worst ? `${worst.name} embedded ${worst.lost} photos for nothing` : 'none';
  }

  #sum(of: (counts: EmbeddingCounts) => number): number {
    return [...this.#embeddings.values()].reduce((sum, counts) => sum + of(counts), 0);
  }
}
