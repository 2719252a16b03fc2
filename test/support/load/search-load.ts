import { messageOf } from '../../../platform/errors.ts';
import { ask, valuesAt } from '../graphql.ts';

const PAGE = 10;

const SEARCH = `query ($input: SearchInput!, $first: Int) {
  search(input: $input, first: $first) { generation { number } edges { node { id path } } }
}`;

export interface Searched {
  readonly api: string;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** Number of the generation that answered; null: it failed. */
  readonly generation: number | null;
  readonly outcome: 'good' | 'empty' | 'doubled' | 'failed';
  /** Of a failure. */
  readonly reason: string | null;
}

export interface SearchTarget {
  readonly apis: readonly string[];
  readonly key: string;
  readonly collection: string;
  /** A search that takes longer has failed. */
  readonly timeoutMs: number;
  /** While as many searches are open no further one is sent. */
  readonly mostOpen: number;
}

/** One search, with what is wrong with its answer. Never rejects. */
export async function searchOnce(
  { key, collection, timeoutMs }: SearchTarget,
  api: string,
  text: string,
): Promise<Searched> {
  const sentAt = performance.now();
  const common = (): { api: string; sentAt: number; answeredAt: number } => ({
    ...{ api, sentAt, answeredAt: performance.now() },
  });
  try {
    const variables = { input: { collection, text }, first: PAGE };
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await ask(api, SEARCH, { key, variables, signal });
    const [generation] = valuesAt(answer, 'search.generation.number');
    if (answer.status !== 200 || answer.codes.length > 0 || typeof generation !== 'number') {
      const reason = `${answer.status} ${answer.codes.join()} ${answer.text.slice(0, 300)}`;
      return { ...common(), generation: null, outcome: 'failed', reason };
    }
    const ids = valuesAt(answer, 'search.edges.node.id');
    const isDoubled = new Set(ids).size !== ids.length;
    const outcome = ids.length === 0 ? 'empty' : isDoubled ? 'doubled' : 'good';
    return { ...common(), generation, outcome, reason: null };
  } catch (error) {
    return { ...common(), generation: null, outcome: 'failed', reason: messageOf(error) };
  }
}

export interface SearchLoadOptions extends SearchTarget {
  readonly texts: readonly string[];
  readonly perSecond: number;
}

/**
 * Searches at a steady rate, whether the ones before have been answered or not, at each API in turn. Texts are used in order, so that few
 * are cached.
 */
export class SearchLoad {
  /** What the searches that are sent now are counted under. */
  phase = '';
  readonly #options: SearchLoadOptions;
  readonly #searched: { readonly phase: string; readonly search: Searched }[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  readonly #startedAt = performance.now();

  constructor(options: SearchLoadOptions, phase: string) {
    this.#options = options;
    this.phase = phase;
    this.#timer = setInterval(() => {
      this.#sendDue();
    }, 1000 / options.perSecond);
  }

  /** Those sent in a phase and answered, in the order of their answers. */
  ofPhase(name: string): readonly Searched[] {
    return this.#searched.filter(({ phase }) => phase === name).map(({ search }) => search);
  }

  /** Resolves when all have been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  /** A timer that comes late catches up; what was due while too many were open is left out. */
  #sendDue(): void {
    const { perSecond, mostOpen } = this.#options;
    const due = Math.floor(((performance.now() - this.#startedAt) * perSecond) / 1000);
    for (; this.#sent < due; this.#sent++) {
      if (this.#open.size < mostOpen) this.#send(this.#sent);
    }
  }

  #send(number: number): void {
    const { apis, texts } = this.#options;
    const [api = '', text = ''] = [apis[number % apis.length], texts[number % texts.length]];
    const { phase } = this;
    const sending = searchOnce(this.#options, api, text).then((search) => {
      this.#searched.push({ phase, search });
      this.#open.delete(sending);
    });
    this.#open.add(sending);
  }
}
