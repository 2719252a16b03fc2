import { EventEmitter, on } from 'node:events';
import { connection } from './connection.ts';

/** Jobs of the in-memory server. They stand still until a test moves them. */
export interface StandInJob {
  readonly id: string;
  readonly kind: string;
  state: string;
  readonly collection: { readonly name: string } | null;
  total: number | null;
  done: number;
  failed: number;
  skipped: number;
  itemsPerSecond: number | null;
  etaSeconds: number | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  finishedAt: string | null;
  plan: object | null;
  result: object | null;
  failures: readonly object[];
  /** Id of the generation it builds. */
  readonly generationId?: string;
  /** What it becomes once somebody has asked for it. */
  readonly next?: Partial<StandInJob>;
}

/** What resolvers know of who asks. */
export interface StandInViewer {
  readonly role: string;
}

type Resolvers = Readonly<Record<string, object>>;
type ById = Readonly<{ id: string }>;

export class StandInJobs {
  readonly #jobs = new Map<string, StandInJob>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Names of the mutations that came, with the job's id. */
  readonly calls: string[] = [];
  /** Message of the next mutation's user error. */
  refuseNext: string | null = null;

  constructor(jobs: readonly StandInJob[]) {
    for (const job of jobs) this.add(job);
  }

  add(job: StandInJob): void {
    this.#jobs.set(job.id, job);
  }

  find(id: string): StandInJob | null {
    return this.#jobs.get(id) ?? null;
  }

  /** Tells those who follow it. */
  change(id: string, change: Partial<StandInJob>): void {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new Error(`There is no job "${id}".`);
    Object.assign(job, change);
    this.#changes.emit(id);
  }

  /** How many follow it by subscription. */
  followers(id: string): number {
    return this.#changes.listenerCount(id);
  }

  get resolvers(): Resolvers {
    return {
      Query: {
        job: (_: unknown, { id }: ById) => {
          const job = this.find(id);
          if (job?.next !== undefined) Object.assign(job, job.next);
          return job;
        },
        jobs: (_: unknown, { collection, state, first, after }: JobsArguments) =>
          connection(
            this.#newestFirst().filter(
              (job) =>
                (collection == null || job.collection?.name === collection) &&
                (state == null || job.state === state),
            ),
            first,
            after,
          ),
      },
      Mutation: {
        pauseJob: this.#mutation('pauseJob', { state: 'PAUSED' }),
        resumeJob: this.#mutation('resumeJob', { state: 'QUEUED' }),
        cancelJob: this.#mutation('cancelJob', { state: 'CANCELLED' }),
        retryFailedItems: this.#mutation('retryFailedItems', {
          ...{ state: 'QUEUED', failed: 0, failures: [], finishedAt: null },
        }),
      },
      Subscription: {
        jobProgress: { subscribe: (_: unknown, { id }: ById) => this.#follow(id) },
      },
      Job: {
        createdBy: (_job: StandInJob, _: unknown, { role }: StandInViewer) =>
          role === 'ADMIN' ? 'slk_abcdefghijkl' : null,
        failures: ({ failures }: StandInJob, { first, after }: PageArguments) =>
          connection(failures, first, after),
      },
    };
  }

  #newestFirst(): readonly StandInJob[] {
    return [...this.#jobs.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }

  #mutation(name: string, change: Partial<StandInJob>): object {
    return (_: unknown, { input: { id } }: { input: ById }) => {
      this.calls.push(`${name} ${id}`);
      const message = this.refuseNext;
      this.refuseNext = null;
      if (message !== null) return { job: null, userErrors: [{ code: 'CONFLICT', message }] };
      this.change(id, change);
      return { job: this.find(id), userErrors: [] };
    };
  }

  /** Ends at once when its reader goes, also while nothing happens. */
  #follow(id: string): AsyncIterableIterator<object, void> {
    const changes = on(this.#changes, id);
    const states = this.#states(id, changes);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => states.next(),
      return: async () => {
        await changes.return?.();
        return states.return();
      },
    };
  }

  async *#states(id: string, changes: AsyncIterator<unknown>): AsyncGenerator<object, void> {
    yield { jobProgress: this.find(id) };
    while ((await changes.next()).done !== true) {
      const job = this.find(id);
      yield { jobProgress: job };
      if (job === null || OVER.has(job.state)) return;
    }
  }
}

const OVER: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

interface PageArguments {
  readonly first: number;
  readonly after?: string | null;
}

interface JobsArguments extends PageArguments {
  readonly collection?: string | null;
  readonly state?: string | null;
}
