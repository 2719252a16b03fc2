import { lstat } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import type { BigIntStats } from 'node:fs';
import { PlatformError, systemErrorCode } from '../../../platform/errors.ts';
import { writeWhole } from '../../../platform/write-whole.ts';
import { sidecarNames } from '../../ingest/keywords/sidecars.ts';
import { MAX_XMP_BYTES } from '../../ingest/keywords/xmp-lists.ts';
import { readWholeFile } from '../../ingest/read-file.ts';
import { mergeXmp, newXmp, type KeywordChange } from './merge-xmp.ts';

/** `full`: `photo.jpg.xmp`, as darktable and digiKam do; `stem`: `photo.xmp`, as Adobe does. */
export const SIDECAR_NAMINGS = ['full', 'stem'] as const;
export type SidecarNaming = (typeof SIDECAR_NAMINGS)[number];

export interface SidecarOptions {
  /** Of a sidecar that isn't there yet. */
  readonly naming: SidecarNaming;
  /** Only finds out what would be written. */
  readonly dryRun: boolean;
}

/** Makes the change in a photo's sidecar, or makes one. Throws `BAD_USER_INPUT` and `UnreadableImage` where it is better left alone. */
export async function updateSidecar(
  photo: string,
  change: KeywordChange,
  { naming, dryRun }: SidecarOptions,
): Promise<'written' | 'unchanged'> {
  const [path, before] = await findSidecar(photo, naming);
  const text = before === null ? created(change) : mergeXmp(await readText(path), change);
  if (text === null) return 'unchanged';
  checkSize(text);
  if (dryRun) return 'written';
  const check = (): Promise<void> => checkUntouched(path, before);
  const mode = before === null ? {} : { mode: Number(before.mode & 0o777n) };
  await writeWhole(path, [text], { ...mode, check });
  return 'written';
}

/** A longer one nobody here would read again. */
function checkSize(text: string): void {
  if (Buffer.byteLength(text) <= MAX_XMP_BYTES) return;
  const message = `The sidecar would be longer than ${MAX_XMP_BYTES} bytes.`;
  throw new PlatformError('BAD_USER_INPUT', message);
}

function created(change: KeywordChange): string | null {
  return change.subject.length === 0 ? null : newXmp(change);
}

type Found = readonly [path: string, before: BigIntStats | null];

/** The one there is, first of the wanted naming; else where one of that naming would be. */
async function findSidecar(photo: string, naming: SidecarNaming): Promise<Found> {
  const { dir, base, name } = parse(photo);
  const stem = naming === 'full' ? base : name;
  const isWanted = (one: string): number => (parse(one).name === stem ? 0 : 1);
  const names = [...sidecarNames(base)].sort((a, b) => isWanted(a) - isWanted(b));
  for (const one of names) {
    const before = await statOf(join(dir, one));
    if (before !== null) return [join(dir, one), before];
  }
  return [join(dir, `${stem}.xmp`), null];
}

async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Of a declaration of another encoding: ASCII up to now, perhaps, but not what is written into it. */
const OTHER_ENCODING = /^\ufeff?<\?xml[^>]*\sencoding\s*=\s*["'](?!utf-8["'])/i;

/** A byte-order mark stays. */
async function readText(path: string): Promise<string> {
  const bytes = await readWholeFile(path, MAX_XMP_BYTES); // follows no links
  const text = decode(bytes);
  if (!OTHER_ENCODING.test(text)) return text;
  throw new PlatformError('BAD_USER_INPUT', 'The sidecar is no UTF-8, as it says.');
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PlatformError('BAD_USER_INPUT', 'The sidecar is no UTF-8.', { cause });
  }
}

/** Another program may have written it since it was read. */
async function checkUntouched(path: string, before: BigIntStats | null): Promise<void> {
  const now = await statOf(path);
  const isSame = now?.mtimeNs === before?.mtimeNs && now?.size === before?.size;
  if (isSame) return;
  const message = `${basename(path)} in ${dirname(path)} was written meanwhile.`;
  throw new PlatformError('CONFLICT', message);
}
