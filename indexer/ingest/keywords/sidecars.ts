import { lstat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { cleanKeywords } from './clean-keywords.ts';
import { readXmpKeywords } from './xmp.ts';
import { MAX_XMP_BYTES } from './xmp-lists.ts';
import { readWholeFile } from '../read-file.ts';

/** What lies beside a photo and tells its keywords. */
export interface Sidecars {
  readonly keywords: readonly string[];
  /** The newest one's, nanoseconds since 1970; 0: there is none. */
  readonly mtimeNs: bigint;
}

const ENDINGS = ['.xmp', '.XMP'];

export function isSidecarName(name: string): boolean {
  return ENDINGS.some((ending) => name.endsWith(ending));
}

/** Names a photo's sidecar may have: `photo.jpg.xmp` (darktable, digiKam) and `photo.xmp` (Adobe). */
export function sidecarNames(photo: string): readonly string[] {
  return [photo, parse(photo).name].flatMap((stem) => ENDINGS.map((ending) => stem + ending));
}

/** The newest sidecar's time among those of these names, 0 where there is none. Links and what else is no file don't count. */
export async function newestSidecarNs(folder: string, names: readonly string[]): Promise<bigint> {
  const times = await Promise.all(names.map((name) => sidecarTimeNs(join(folder, name))));
  return times.reduce((newest, time) => (time > newest ? time : newest), 0n);
}

async function sidecarTimeNs(file: string): Promise<bigint> {
  try {
    const stats = await lstat(file, { bigint: true });
    return stats.isFile() ? stats.mtimeNs : 0n;
  } catch {
    return 0n; // gone, or not for us: then it has no keywords either
  }
}

/** Those of a photo. A sidecar that can't be read has no keywords. */
export async function readSidecars(photo: string): Promise<Sidecars> {
  const { dir, base } = parse(photo);
  const names = sidecarNames(base);
  const mtimeNs = await newestSidecarNs(dir, names);
  if (mtimeNs === 0n) return { keywords: [], mtimeNs };
  const read = await Promise.all(names.map((name) => readSidecar(join(dir, name))));
  return { keywords: cleanKeywords(read.flat()), mtimeNs };
}

async function readSidecar(file: string): Promise<readonly string[]> {
  try {
    return readXmpKeywords(await readWholeFile(file, MAX_XMP_BYTES));
  } catch {
    return []; // whatever lies there, the photo isn't worse for it
  }
}
