import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { PlatformError } from '../../platform/errors.ts';
import { putVocabulary } from '../../store/put-vocabulary.ts';
import { BUILT_IN, findNewestVersions, findVocabulary } from '../../store/vocabularies.ts';
import { readJson } from './vocabulary-formats/json.ts';
import { toNewLabels } from './written-vocabulary.ts';

/** The vocabularies that come with the program, a file each. */
export const BUILT_INS = fileURLToPath(new URL('../../vocabularies', import.meta.url));

const NO_IMAGES = { find: () => Promise.resolve(null) };

/**
 * Puts the vocabularies that come with the program: those that aren't there, and those that nobody changed since and whose file is
 * another now. Any number of processes may do so at once. Takes some 10 ms when there is nothing to do.
 */
export async function putBuiltIns(pool: Pool, now: Date, folder = BUILT_INS): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  for (const file of files) {
    const content = await readFile(join(folder, file), 'utf8');
    await putFile(pool, { name: basename(file, '.json'), content, now });
  }
}

interface BuiltIn {
  readonly name: string;
  readonly content: string;
  readonly now: Date;
}

async function putFile(pool: Pool, { name, content, now }: BuiltIn): Promise<void> {
  const fileSha256 = createHash('sha256').update(content).digest();
  const ifVersion = await versionToReplace(pool, name, fileSha256);
  if (ifVersion === null) return;
  const written = readJson(content);
  const labels = await toNewLabels(written.labels, NO_IMAGES);
  const description = ifVersion === 0 ? written.description : null; // somebody may have changed it
  await putVocabulary(pool, {
    ...{ name, description, labels, ifVersion, createdBy: BUILT_IN, fileSha256, now },
  }).catch(ignoreOthersChange);
}

/** 0: there is none; null: it is from this file, or somebody made it what it is. */
async function versionToReplace(
  pool: Pool,
  name: string,
  fileSha256: Buffer,
): Promise<number | null> {
  const vocabulary = await findVocabulary(pool, name);
  if (vocabulary === null) return 0;
  const newest = (await findNewestVersions(pool, [vocabulary.id])).get(vocabulary.id);
  if (newest?.createdBy !== BUILT_IN) return null;
  const isFromFile = newest.fileSha256 !== null && fileSha256.equals(newest.fileSha256);
  return isFromFile ? null : newest.version;
}

/** Another process put it first, or a person did. */
function ignoreOthersChange(error: unknown): void {
  if (!(error instanceof PlatformError && error.code === 'CONFLICT')) throw error;
}
