import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Pictures to index: files of a folder, under new names. */
export class Photos {
  readonly folder: string;
  readonly #originals: readonly string[];
  #count = 0;

  private constructor(folder: string, originals: readonly string[]) {
    this.folder = folder;
    this.#originals = originals;
  }

  static async create(from: string, folder: string): Promise<Photos> {
    await mkdir(folder);
    const names = (await readdir(from)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();
    if (names.length === 0) throw new Error(`There are no pictures in ${from}.`);
    return new Photos(
      folder,
      names.map((name) => join(from, name)),
    );
  }

  get count(): number {
    return this.#count;
  }

  async add(count: number): Promise<void> {
    for (const end = this.#count + count; this.#count < end; this.#count++) {
      const bytes = await this.bytesOf(this.#count);
      const file = join(this.folder, `${String(this.#count).padStart(6, '0')}.jpg`);
      await writeFile(`${file}.part`, bytes);
      await rename(`${file}.part`, file);
    }
  }

  /** The bytes of the nth picture: an original's, and a tail that decoders don't look at, so that no two are the same. */
  async bytesOf(number: number): Promise<Buffer> {
    const original = this.#originals[number % this.#originals.length] ?? '';
    return Buffer.concat([await readFile(original), Buffer.from(`\0picture ${number}`)]);
  }
}
