import { open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { systemErrorCode } from '../../platform/errors.ts';

const headerSchema = z.object({
  /** What the run is: settings, data and model. A checkpoint of another run is not continued. */
  run: z.string(),
  step: z.int().nonnegative(),
  /** Everything small: best measurement, history. */
  state: z.json(),
  tensors: z.array(z.object({ name: z.string(), length: z.int().nonnegative() })),
});

export interface Checkpoint {
  readonly run: string;
  /** Steps done. */
  readonly step: number;
  readonly state: z.infer<ReturnType<typeof z.json>>;
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** One line of JSON, then the tensors' bytes. Written beside and renamed: a kill leaves the old one or the new one. */
export async function writeCheckpoint(
  path: string,
  { run, step, state, tensors }: Checkpoint,
): Promise<void> {
  const list = [...tensors].map(([name, { length }]) => ({ name, length }));
  const file = await open(`${path}.new`, 'w');
  try {
    await file.write(`${JSON.stringify({ run, step, state, tensors: list })}\n`);
    for (const { buffer, byteOffset, byteLength } of tensors.values()) {
      await file.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** The checkpoint of this run, or null when there is none (or only another run's). */
export async function readCheckpoint(path: string, run: string): Promise<Checkpoint | null> {
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const end = bytes.indexOf(10);
  const header = headerSchema.parse(JSON.parse(bytes.toString('utf8', 0, end)));
  if (header.run !== run) return null;
  let offset = end + 1;
  const tensors = new Map<string, Float32Array>();
  for (const { name, length } of header.tensors) {
    const own = new Uint8Array(bytes.subarray(offset, offset + length * 4));
    tensors.set(name, new Float32Array(own.buffer));
    offset += length * 4;
  }
  return { run, step: header.step, state: header.state, tensors };
}
