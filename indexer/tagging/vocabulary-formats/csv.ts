import { CsvError, parse as parseCsv } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { PlatformError } from '../../../platform/errors.ts';
import type { WrittenLabel, WrittenVocabulary } from '../vocabulary-input.ts';

/*
 * CSV (RFC 4180), a row a label. Several values of a field are separated by `|`; a `|` or `\` within a value has a `\` before it.
 */

const COLUMNS = [
  ...(['name', 'prompts', 'negative_prompts', 'examples', 'threshold', 'parents'] as const),
];
type Column = (typeof COLUMNS)[number];

export function writeCsv({ labels }: WrittenVocabulary): string {
  const rows = labels.map((label) => [
    ...[label.name, joined(label.prompts), joined(label.negativePrompts), joined(label.examples)],
    ...[label.threshold === null ? '' : String(label.threshold), joined(label.parents)],
  ]);
  return stringify([COLUMNS, ...rows], { record_delimiter: '\r\n', quoted_match: /[\r\n]/ });
}

/** Also a plain list of names, one a line, with and without the header `name`. Throws `BAD_USER_INPUT` that names the line. */
export function readCsv(content: string): WrittenVocabulary {
  const [first, ...rest] = readRows(content);
  if (first === undefined) throw wrong('There is nothing in the file.');
  const header = first.cells.map((cell) => cell.trim().toLowerCase());
  const hasHeader = header.includes('name');
  if (!hasHeader && first.cells.length > 1) {
    throw wrong(`The first line must be the header ${COLUMNS.join(',')}, or some of these.`);
  }
  const columns = hasHeader ? columnsOf(header) : (['name'] as const);
  const rows = hasHeader ? rest : [first, ...rest];
  return { name: null, description: null, labels: rows.map((row) => toLabel(row, columns)) };
}

interface Row {
  readonly cells: readonly string[];
  /** From 1: where it ends. */
  readonly line: number;
}

function readRows(content: string): readonly Row[] {
  try {
    const delimiter = delimiterOf(content);
    const options = { bom: true, skip_empty_lines: true, relax_column_count: true, info: true };
    const rows: unknown = parseCsv(content, { ...options, delimiter });
    return (rows as readonly { record: string[]; info: { lines: number } }[]).map((row) => ({
      cells: row.record,
      line: row.info.lines,
    }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new PlatformError('BAD_USER_INPUT', `It is no CSV: ${cause.message}.`, { cause });
  }
}

/** Spreadsheets of some countries write semicolons; others tabs. */
function delimiterOf(content: string): string {
  return /^\uFEFF?"?name"?([;\t])/i.exec(content)?.[1] ?? ',';
}

function columnsOf(header: readonly string[]): readonly Column[] {
  return header.map((cell, i) => {
    const column = COLUMNS.find((one) => one === cell);
    if (column === undefined) {
      throw wrong(`There is no column "${cell.slice(0, 60)}": there are ${COLUMNS.join(', ')}.`);
    }
    if (header.indexOf(cell) < i) throw wrong(`The column "${cell}" is there twice.`);
    return column;
  });
}

function toLabel({ cells, line }: Row, columns: readonly Column[]): WrittenLabel {
  if (cells.length > columns.length) {
    const most = `${cells.length} values where the header has ${columns.length}`;
    throw wrong(`Line ${line} has ${most}: put values with a comma in quotes.`);
  }
  const cell = (column: Column): string => cells[columns.indexOf(column)] ?? '';
  return {
    name: cell('name'),
    prompts: split(cell('prompts')),
    negativePrompts: split(cell('negative_prompts')),
    examples: split(cell('examples')),
    threshold: toThreshold(cell('threshold').trim(), line),
    parents: split(cell('parents')),
  };
}

function toThreshold(text: string, line: number): number | null {
  if (text === '') return null;
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  throw wrong(`Line ${line} has the threshold "${text.slice(0, 60)}"; it is a number, 0 to 1.`);
}

function joined(values: readonly string[]): string {
  return values.map((value) => value.replace(/[\\|]/g, '\\$&')).join('|');
}

/** Without those that are empty. */
function split(text: string): readonly string[] {
  const values = text.match(/(?:\\[^]|[^\\|])+\\?|\\/gu) ?? [];
  return values.map((value) => value.replace(/\\([\\|])/g, '$1')).filter((value) => value !== '');
}

function wrong(message: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', message);
}
