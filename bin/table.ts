/** Columns lined up for a terminal; numbers to the right. The first row is the heading. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** A number with one digit and its interval: `63.3 (61.9–64.6)`. */
export function withInterval(value: number, [low, high]: readonly [number, number]): string {
  return `${value.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`;
}
