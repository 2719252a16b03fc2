import type { TaggedImage } from './tagged-images.ts';

const COLUMNS = [
  ...['path', 'vocabulary', 'label', 'source', 'state', 'score', 'probability'],
  ...['tag_run', 'set_by', 'set_at'],
];

/** RFC 4180, a row a tag; a page of images a text. What a spreadsheet would reckon has a `'` before it: keywords are strangers'. */
export async function* writeCsv(
  pages: AsyncIterable<readonly TaggedImage[]>,
): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for await (const page of pages) yield page.flatMap(rowsOf).map(toCsv).join('');
}

/** An object a tag and line. */
export async function* writeJsonLines(
  pages: AsyncIterable<readonly TaggedImage[]>,
): AsyncGenerator<string> {
  for await (const page of pages) yield page.flatMap(rowsOf).map(toJson).join('');
}

type Cell = string | number | null;

function rowsOf({ image: { path }, tags }: TaggedImage): readonly (readonly Cell[])[] {
  return tags.map((tag) => [
    ...[path, tag.vocabulary, tag.label, tag.source, tag.state, tag.score, tag.probability],
    ...[tag.tagRunId, tag.setBy, tag.setAt.toISOString()],
  ]);
}

function toCsv(row: readonly Cell[]): string {
  return `${row.map(quote).join(',')}\r\n`;
}

const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

function quote(cell: Cell): string {
  const text = typeof cell === 'string' ? cell.replace(FORMULA, "'$&") : String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function toJson(row: readonly Cell[]): string {
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]])))}\n`;
}
