import type { Evidence } from './reindex-under-load.ts';
import type { Searched } from './search-load.ts';

/** Every API process has to show a switch by then. */
const SEEN_WITHIN_MS = 1000;

/** What has to show and didn't, a line each; empty: all of it showed. `withinMs`: by when each process has to show a switch. */
export function judge(evidence: Evidence, withinMs = SEEN_WITHIN_MS): readonly string[] {
  return [
    ...judgeSearches(evidence),
    ...judgeSwitches(evidence, withinMs),
    ...judgeImages(evidence),
    ...evidence.badJobs,
    ...evidence.uploads.failures.map((reason) => `An upload or a deletion failed: ${reason}`),
    ...(evidence.verify.isSound ? [] : [`verify: ${evidence.verify.output}`]),
  ];
}

function judgeSearches({ phases, switches }: Evidence): string[] {
  const watched = switches.map(({ what, searches }) => ({ name: `watching: ${what}`, searches }));
  return [...phases, ...watched].flatMap(({ name, searches }) => {
    if (searches.length === 0) return [`Nothing was searched: ${name}.`];
    const wrong = searches.filter(({ outcome }) => outcome !== 'good');
    const [first] = wrong;
    if (first === undefined) return [];
    const story = `${first.outcome} ${first.reason ?? ''}`;
    return [`${name}: ${wrong.length} of ${searches.length} searches went wrong, first: ${story}`];
  });
}

function judgeSwitches({ switches }: Evidence, withinMs: number): string[] {
  return switches.flatMap(({ what, seen }) =>
    seen.flatMap(({ api, firstNewMs, lastOldMs }) => {
      const isLate = firstNewMs === null || firstNewMs > withinMs;
      const isStale = lastOldMs !== null && lastOldMs > SEEN_WITHIN_MS;
      return isLate || isStale ? [`${what}: ${api} showed it after ${firstNewMs ?? '…'} ms.`] : [];
    }),
  );
}

/** Uploads are there unless they were deleted, once each, and so are the photos; both generations hold all of them. */
function judgeImages({ photos, uploads, images, generations }: Evidence): string[] {
  const faults: string[] = [];
  const present = images.filter(({ path }) => path.startsWith('uploads/'));
  const paths = new Set(present.map(({ path }) => path));
  const deleted = new Set(uploads.deleted);
  const wanted = uploads.acknowledged.filter((path) => !deleted.has(path));
  const lost = wanted.filter((path) => !paths.has(path));
  if (lost.length > 0) faults.push(`Lost uploads: ${lost.join(', ')}`);
  const back = [...paths].filter((path) => !wanted.includes(path));
  if (back.length > 0) faults.push(`Uploads that must not be there: ${back.join(', ')}`);
  const hashes = new Set(present.map(({ sha256 }) => sha256));
  if (paths.size < present.length || hashes.size < present.length) faults.push('Doubled uploads.');
  const others = images.length - present.length;
  if (others !== photos) faults.push(`${others} of ${photos} photos are there.`);
  if (deleted.size === 0) faults.push('Nothing was deleted.');
  const [two, one] = generations;
  if (two?.state !== 'LIVE' || one?.state !== 'RETIRED') faults.push('Generation 2 must be live.');
  for (const generation of generations.filter((each) => each.images !== images.length)) {
    faults.push(
      `Generation ${generation.number}: ${generation.images} of ${images.length} images.`,
    );
  }
  return faults;
}

/** Rows of a table: searches by phase. */
export function searchRows({ phases, switches }: Evidence): readonly (readonly string[])[] {
  const watched = { name: 'watching the switches', searches: switches.flatMap((s) => s.searches) };
  const rows = [...phases, watched].map(({ name, searches }) => [
    ...[name, String(searches.length), count(searches, 'failed'), count(searches, 'empty')],
    ...[count(searches, 'doubled'), timeAt(searches, 0.5), timeAt(searches, 0.99)],
    timeAt(searches, 1),
  ]);
  const heading = ['searches', 'sent', 'failed', 'empty', 'doubled', 'p50 ms', 'p99 ms', 'max ms'];
  return [heading, ...rows];
}

function count(searches: readonly Searched[], outcome: Searched['outcome']): string {
  return String(searches.filter((one) => one.outcome === outcome).length);
}

function timeAt(searches: readonly Searched[], share: number): string {
  const times = searches.map(({ sentAt, answeredAt }) => answeredAt - sentAt).sort((a, b) => a - b);
  const at = Math.min(times.length - 1, Math.floor(times.length * share));
  return (times[at] ?? NaN).toFixed(0);
}

/** Rows of a table: what each API process showed of each switch. */
export function switchRows({ switches }: Evidence): readonly (readonly string[])[] {
  const text = (ms: number | null): string => (ms === null ? 'none' : ms.toFixed(0));
  const rows = switches.flatMap(({ what, tookMs, seen }) =>
    seen.map(({ firstNewMs, lastOldMs }, i) => [
      ...[`${what}, API ${'AB'[i] ?? ''}`, tookMs.toFixed(0), text(firstNewMs), text(lastOldMs)],
    ]),
  );
  return [['switch', 'mutation ms', 'first new after ms', 'last old sent at ms'], ...rows];
}
