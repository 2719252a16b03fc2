import { setTimeout as pause } from 'node:timers/promises';
import { ask, textAt, valuesAt, type Answer } from '../graphql.ts';
import type { SearchTarget } from './search-load.ts';

const POLL_MS = 200;
const INPUTS = {
  createCollection: 'CreateCollectionInput',
  addSource: 'AddSourceInput',
  startIngest: 'StartIngestInput',
  startReindex: 'StartReindexInput',
  promoteGeneration: 'PromoteGenerationInput',
  rollbackGeneration: 'RollbackGenerationInput',
} as const;

export interface GenerationSeen {
  readonly id: string;
  readonly number: number;
  readonly state: string;
  readonly images: number;
}

/** An administrator who works through GraphQL with one API process. */
export class Operator {
  readonly #api: string;
  readonly #key: string;
  readonly #collection: string;

  constructor({ apis: [api = ''], key, collection }: SearchTarget) {
    this.#api = api;
    this.#key = key;
    this.#collection = collection;
  }

  /** Makes the collection and waits until the folder's photos are in it. */
  async ingest(folder: string): Promise<void> {
    await this.#change('createCollection', { name: this.#collection }, 'collection { id }');
    const collection = this.#collection;
    await this.#change('addSource', { collection, folder, name: 'photos' }, 'source { id }');
    await this.#change('startIngest', { collection }, 'job { id }');
    await this.jobsEnd();
  }

  /** Gives the job's id. */
  async startReindex(visionSpace: string): Promise<string> {
    const input = { collection: this.#collection, visionSpace };
    return textAt(await this.#change('startReindex', input, 'job { id }'), 'startReindex.job.id');
  }

  async promote(id: string): Promise<void> {
    await this.#change('promoteGeneration', { id }, 'generation { id }');
  }

  async rollBack(): Promise<void> {
    const input = { collection: this.#collection };
    await this.#change('rollbackGeneration', input, 'generation { id }');
  }

  /** Newest first. */
  async generations(): Promise<readonly GenerationSeen[]> {
    const document = `query ($collection: String!) {
      generations(collection: $collection) { id number state images } }`;
    const answer = await this.#ask(document, { collection: this.#collection });
    return valuesAt(answer, 'generations') as readonly GenerationSeen[];
  }

  /** Waits until the generation of this number is built. Throws when its checks failed. */
  async ready(number: number): Promise<GenerationSeen> {
    for (;;) {
      const found = (await this.generations()).find((one) => one.number === number);
      if (found?.state === 'READY') return found;
      if (found?.state === 'FAILED') throw new Error(`Generation ${number} failed.`);
      await pause(POLL_MS);
    }
  }

  /** Waits until no job is open; gives those of the collection that didn't end well, in words. */
  async jobsEnd(): Promise<readonly string[]> {
    const document = `query ($collection: String!, $after: String) {
      jobs(collection: $collection, first: 100, after: $after) {
        edges { node { id kind state failed } } pageInfo { hasNextPage endCursor } } }`;
    for (;;) {
      const jobs: Job[] = [];
      let after: string | null = null;
      do {
        const answer = await this.#ask(document, { collection: this.#collection, after });
        jobs.push(...(valuesAt(answer, 'jobs.edges.node') as Job[]));
        const [hasMore] = valuesAt(answer, 'jobs.pageInfo.hasNextPage');
        after = hasMore === true ? textAt(answer, 'jobs.pageInfo.endCursor') : null;
      } while (after !== null);
      if (!jobs.some(({ state }) => OPEN.has(state))) return jobs.filter(isBad).map(inWords);
      await pause(POLL_MS);
    }
  }

  #change(mutation: keyof typeof INPUTS, input: object, fields: string): Promise<Answer> {
    const document = `mutation ($input: ${INPUTS[mutation]}!) {
      ${mutation}(input: $input) { ${fields} userErrors { code message } } }`;
    return this.#ask(document, { input }, mutation);
  }

  async #ask(
    document: string,
    variables: Readonly<Record<string, unknown>>,
    mutation?: string,
  ): Promise<Answer> {
    const answer = await ask(this.#api, document, { variables, key: this.#key });
    const refused = mutation === undefined ? [] : valuesAt(answer, `${mutation}.userErrors.code`);
    if (answer.status === 200 && answer.codes.length === 0 && refused.length === 0) return answer;
    throw new Error(`${answer.status}: ${answer.text.slice(0, 1000)}`);
  }
}

interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly failed: number;
}

const OPEN = new Set(['PLANNED', 'QUEUED', 'RUNNING', 'PAUSED']);

function isBad({ state, failed }: Job): boolean {
  return state !== 'SUCCEEDED' || failed > 0;
}

function inWords({ id, kind, state, failed }: Job): string {
  return `${kind} ${id} is ${state} with ${failed} failed items`;
}
