/** Shift and scale per column that give the training captions mean 0 and deviation 1. */
export interface Standardization {
  readonly mean: Float32Array;
  /** 1 / standard deviation. */
  readonly scale: Float32Array;
}

const SMALLEST_DEVIATION = 1e-6;

/** Of the rows of a matrix [rows, width]. */
export function fitStandardization(rows: Float32Array, width: number): Standardization {
  const count = rows.length / width;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) {
      const value = rows[start + i] ?? 0;
      sum[i] = (sum[i] ?? 0) + value;
      squares[i] = (squares[i] ?? 0) + value * value;
    }
  }
  const mean = Float32Array.from(sum, (value) => value / count);
  const scale = Float32Array.from(squares, (value, i) => {
    const variance = value / count - (mean[i] ?? 0) ** 2;
    return 1 / Math.max(Math.sqrt(Math.max(variance, 0)), SMALLEST_DEVIATION);
  });
  return { mean, scale };
}

/** Standardizes rows in place. */
export function standardize(rows: Float32Array, { mean, scale }: Standardization): void {
  const width = mean.length;
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) {
      rows[start + i] = ((rows[start + i] ?? 0) - (mean[i] ?? 0)) * (scale[i] ?? 1);
    }
  }
}
