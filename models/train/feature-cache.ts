import { createHash } from 'node:crypto';
import { open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.ts';

const KEY_BYTES = 16;

/**
 * Rows of float32 features on disk by key, kept across runs. Two files that only grow: `rows.f32` and `keys.bin`; a row
 * is written before its key, so what a kill leaves half-written is cut off at the next opening. The folder's name must
 * hold the fingerprint of whatever makes the rows: another maker, another folder. One writer at a time.
 */
export class FeatureCache {
  readonly width: number;
  readonly #rows: FileHandle;
  readonly #keys: FileHandle;
  readonly #positions: Map<string, number>;

  private constructor(
    width: number,
    rows: FileHandle,
    keys: FileHandle,
    positions: Map<string, number>,
  ) {
    this.width = width;
    this.#rows = rows;
    this.#keys = keys;
    this.#positions = positions;
  }

  static async open(folder: string, width: number): Promise<FeatureCache> {
    await makeFolder(folder);
    const [rowsPath, keysPath] = [join(folder, 'rows.f32'), join(folder, 'keys.bin')];
    const rows = await open(rowsPath, 'a+');
    const keys = await open(keysPath, 'a+');
    const written = Math.floor((await rows.stat()).size / (width * 4));
    const count = Math.min(written, Math.floor((await keys.stat()).size / KEY_BYTES));
    await truncate(rowsPath, count * width * 4);
    await truncate(keysPath, count * KEY_BYTES);
    const bytes = await readFile(keysPath);
    const positions = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      positions.set(bytes.toString('latin1', i * KEY_BYTES, (i + 1) * KEY_BYTES), i);
    }
    return new FeatureCache(width, rows, keys, positions);
  }

  has(key: string): boolean {
    return this.#positions.has(digest(key));
  }

  /** Adds rows; durable once this resolves. */
  async add(keys: readonly string[], rows: Float32Array): Promise<void> {
    await this.#rows.appendFile(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    await this.#rows.datasync();
    const digests = keys.map(digest);
    await this.#keys.appendFile(Buffer.from(digests.join(''), 'latin1'));
    for (const key of digests) this.#positions.set(key, this.#positions.size);
  }

  /** The rows of these keys, in this order, [keys, width]. All must be there. */
  async read(keys: readonly string[]): Promise<Float32Array> {
    const all = await this.#readAll();
    const out = new Float32Array(keys.length * this.width);
    keys.forEach((key, i) => {
      const position = this.#positions.get(digest(key));
      if (position === undefined) throw new Error('A feature that was never cached was asked for.');
      out.set(all.subarray(position * this.width, (position + 1) * this.width), i * this.width);
    });
    return out;
  }

  async close(): Promise<void> {
    await this.#rows.close();
    await this.#keys.close();
  }

  async #readAll(): Promise<Float32Array> {
    const all = new Float32Array(this.#positions.size * this.width);
    const bytes = new Uint8Array(all.buffer);
    for (let offset = 0; offset < bytes.length;) {
      const { bytesRead } = await this.#rows.read(bytes, offset, bytes.length - offset, offset);
      if (bytesRead === 0) throw new Error('The feature cache is shorter than its keys say.');
      offset += bytesRead;
    }
    return all;
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest().toString('latin1', 0, KEY_BYTES);
}
