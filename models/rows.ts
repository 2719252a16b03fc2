/** Rows of one width, end to end: [rows, width]. */
export function joinRows(rows: readonly Float32Array[], width: number): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    joined.set(row, i * width);
  });
  return joined;
}
