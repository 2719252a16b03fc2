import { setTimeout as pause } from 'node:timers/promises';
import { searchOnce, type Searched, type SearchTarget } from './search-load.ts';

const POLL_MS = 50;
/** Watching goes on for so long after the switch was answered. */
const HOLD_MS = 2000;

export interface Switch {
  readonly what: string;
  /** From the mutation's sending to its answer. */
  readonly tookMs: number;
  readonly seen: readonly SeenSwitch[];
  readonly searches: readonly Searched[];
}

/** A switch as one API process shows it; times are from the answer to the mutation. */
export interface SeenSwitch {
  readonly api: string;
  /** When its first answer of the new generation came; null: it didn't within the watch. */
  readonly firstNewMs: number | null;
  /** When the last search was sent that the old generation still answered; negative: before the mutation was answered. */
  readonly lastOldMs: number | null;
}

/** Searches every API every 50 ms, whether the ones before were answered or not, while `change` switches to a generation. */
export async function watchSwitch(
  target: SearchTarget,
  what: string,
  { to, change }: { readonly to: number; readonly change: () => Promise<void> },
): Promise<Switch> {
  const watching = new AbortController();
  const watches = target.apis.map((api) => watch(target, api, watching.signal));
  await pause(POLL_MS * 4);
  const sentAt = performance.now();
  await change();
  const answeredAt = performance.now();
  await pause(HOLD_MS);
  watching.abort();
  const searches = (await Promise.all(watches)).flat();
  const seen = target.apis.map((api): SeenSwitch => {
    const answers = searches.filter((one) => one.api === api && one.generation !== null);
    const news = answers.filter(({ generation }) => generation === to);
    const old = answers.filter(({ generation }) => generation !== to);
    const first = news.map((one) => one.answeredAt - answeredAt);
    const last = old.map((one) => one.sentAt - answeredAt);
    return {
      api,
      firstNewMs: first.length === 0 ? null : Math.min(...first),
      lastOldMs: last.length === 0 ? null : Math.max(...last),
    };
  });
  return { what, tookMs: answeredAt - sentAt, seen, searches };
}

async function watch(
  target: SearchTarget,
  api: string,
  signal: AbortSignal,
): Promise<readonly Searched[]> {
  const searches: Promise<Searched>[] = [];
  let open = 0;
  const search = async (): Promise<Searched> => {
    open++;
    return searchOnce(target, api, 'a photo of a dog').finally(() => open--);
  };
  while (!signal.aborted) {
    if (open < target.mostOpen) searches.push(search());
    await pause(POLL_MS, null, { signal }).catch(() => undefined);
  }
  return Promise.all(searches);
}
