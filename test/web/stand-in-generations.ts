import { GraphQLError } from 'graphql';
import { standInJob, plan } from './stand-in-job-list.ts';
import type { StandInJobs } from './stand-in-jobs.ts';

/** Generations of `demo` of the in-memory server. */
export interface StandInGeneration {
  readonly id: string;
  readonly number: number;
  readonly visionSpace: object;
  readonly textModel: object | null;
  state: string;
  readonly images: number;
  readonly createdAt: string;
  promotedAt: string | null;
  retiredAt: string | null;
  discardedAt: string | null;
  readonly checks: readonly object[];
  readonly jobId: string | null;
}

const NOW = '2026-11-24T12:00:00.000Z';

const DINO_2 = space({ id: 'space-a', name: 'dinov2-base', dimensions: 768 });
const DINO_3 = space({ id: 'space-b', name: 'dinov3-large', dimensions: 1024 });
const EVA = space({ id: 'space-d', name: 'eva-large', dimensions: 1024 });
const SIGLIP = space({ id: 'space-c', name: 'siglip-old', dimensions: 512, isAvailable: false });

export class StandInGenerations {
  readonly #generations = someGenerations();
  readonly #jobs: StandInJobs;
  /** Names of the mutations that came, with what they name. */
  readonly calls: string[] = [];
  /** What reindexes were asked for. */
  readonly reindexes: object[] = [];
  /** Message of the next mutation's user error. */
  refuseNext: string | null = null;

  constructor(jobs: StandInJobs) {
    this.#jobs = jobs;
  }

  get resolvers(): Readonly<Record<string, object>> {
    return {
      Query: {
        generations: (_: unknown, { collection }: { collection: string }) =>
          collection === 'demo' ? this.#generations : [],
        visionSpaces: () => [DINO_2, DINO_3, EVA, SIGLIP],
      },
      Mutation: {
        startReindex: (_: unknown, { input }: { input: ReindexInput }) => this.#reindex(input),
        promoteGeneration: (_: unknown, { input: { id } }: ById) =>
          this.#change(`promote ${id}`, () => {
            this.#makeLive(this.#get(id));
          }),
        rollbackGeneration: (_: unknown, { input: { collection } }: ByCollection) =>
          this.#change(`roll back ${collection}`, () => {
            this.#makeLive(this.#get('g2'));
          }),
        discardGeneration: (_: unknown, { input: { id } }: ById) =>
          this.#change(`discard ${id}`, () => {
            this.#get(id).discardedAt = NOW;
          }),
      },
      Generation: {
        job: ({ jobId }: StandInGeneration) => (jobId === null ? null : this.#jobs.find(jobId)),
        reclaimedAt: () => null,
      },
      Job: {
        generation: ({ generationId }: { generationId?: string }) =>
          this.#generations.find(({ id }) => id === generationId) ?? null,
      },
    };
  }

  /** One more, that this job builds. */
  add(jobId: string): void {
    const number = this.#generations.length + 1;
    this.#generations.unshift(generation(number, { state: 'BUILDING', jobId }));
  }

  /** Throws as the API does for a generation that can't be searched. */
  checkSearchable(id: string): void {
    if (this.#get(id).textModel !== null) return;
    throw new GraphQLError('No text model of its vision space is known.', {
      extensions: { code: 'MODEL_MISMATCH' },
    });
  }

  #reindex(input: ReindexInput): object {
    this.reindexes.push(input);
    const job = standInJob({
      ...{ id: `reindex-${this.reindexes.length}`, kind: 'REINDEX', createdAt: NOW },
      ...(input.dryRun ? { state: 'PLANNED', total: null } : { total: 119 }),
      plan: input.dryRun ? null : plan({ files: 119 }),
    });
    this.#jobs.add(job);
    return { job, userErrors: [] };
  }

  #change(call: string, change: () => void): object {
    this.calls.push(call);
    const message = this.refuseNext;
    this.refuseNext = null;
    if (message !== null) return { generation: null, userErrors: [{ code: 'CONFLICT', message }] };
    change();
    return { generation: this.#generations[0], userErrors: [] };
  }

  #makeLive(next: StandInGeneration): void {
    for (const it of this.#generations.filter(({ state }) => state === 'LIVE')) {
      Object.assign(it, { state: 'RETIRED', retiredAt: NOW });
    }
    Object.assign(next, { state: 'LIVE', promotedAt: NOW });
  }

  #get(id: string): StandInGeneration {
    const found = this.#generations.find((it) => it.id === id);
    if (found === undefined) throw new Error(`There is no generation "${id}".`);
    return found;
  }
}

interface ById {
  readonly input: { readonly id: string };
}

interface ByCollection {
  readonly input: { readonly collection: string };
}

interface ReindexInput {
  readonly dryRun: boolean;
}

/** Newest first: one of each state that a page shows differently. */
function someGenerations(): StandInGeneration[] {
  const model = (name: string): object => ({ name, version: 1 });
  return [
    generation(5, { state: 'BUILDING', jobId: 'building' }),
    generation(4, { state: 'READY', checks: checks(true), textModel: model('lock-b') }),
    generation(3, { state: 'FAILED', checks: checks(false), jobId: 'checks' }),
    generation(2, {
      ...{ state: 'RETIRED', visionSpace: SIGLIP, checks: checks(true) },
      ...{ promotedAt: '2026-11-10T08:00:00.000Z', retiredAt: '2026-11-20T08:00:00.000Z' },
    }),
    generation(1, {
      ...{ state: 'LIVE', visionSpace: DINO_2, textModel: model('lock-a') },
      promotedAt: '2026-11-20T08:00:00.000Z',
    }),
  ];
}

function generation(number: number, change: Partial<StandInGeneration>): StandInGeneration {
  return {
    ...{ id: `g${number}`, number, state: 'READY', visionSpace: DINO_3, textModel: null },
    ...{ images: 119, createdAt: `2026-11-0${number}T08:00:00.000Z`, promotedAt: null },
    ...{ retiredAt: null, discardedAt: null, checks: [], jobId: null },
    ...change,
  };
}

function checks(isGood: boolean): readonly object[] {
  return [
    { name: 'count', passed: true, detail: '119 of 119 images have an embedding.' },
    {
      name: 'recall',
      passed: isGood,
      detail: isGood ? '0.998, at least 0.95' : '0.71, under 0.95',
    },
    { name: 'canary: a parrot', passed: isGood, detail: isGood ? '4 of 10' : '0 of 10' },
  ];
}

function space(change: Readonly<Record<string, unknown>>): object {
  return { isAvailable: true, fingerprint: '0'.repeat(64), backbone: 'a backbone', ...change };
}
