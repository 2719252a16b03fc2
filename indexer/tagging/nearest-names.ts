/** Names further away than this share of their length are no slip of the pen. */
const FURTHEST = 0.5;
/** Characters that are compared: the price grows with their square. */
const COMPARED = 40;

/** The names most like one that isn't there, nearest first; letters' case doesn't count. */
export function nearestNames(name: string, known: readonly string[], most = 3): readonly string[] {
  const wanted = foldedOf(name);
  return known
    .map((one) => ({ one, distance: editDistance(wanted, foldedOf(one)) }))
    .filter(({ one, distance }) => distance <= FURTHEST * Math.max(one.length, name.length))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ one }) => one);
}

function foldedOf(name: string): string {
  return name.toLowerCase().slice(0, COMPARED);
}

/** Letters to add, leave out or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
