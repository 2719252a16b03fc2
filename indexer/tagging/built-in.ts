import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
 * another now. Any number of processes may do so at once. Takes some 20 ms when there is nothing to do.
 */
export async function putBuiltIns(pool: Pool, now: Date, folder = BUILT_INS): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  for (const file of files) {
    const name = file.replace(/\.json$/, '');
    const ifVersion = await versionToReplace(pool, name);
    if (ifVersion === null) continue;
    const written = readJson(await readFile(join(folder, file), 'utf8'));
    const labels = await toNewLabels(written.labels, NO_IMAGES);
    const description = ifVersion === 0 ? written.description : null; // somebody may have changed it
    const version = { name, description, labels, ifVersion, createdBy: BUILT_IN, now };
    await putVocabulary(pool, version).catch(ignoreOthersChange);
  }
}

/** 0: there is none; null: somebody made it what it is. */
async function versionToReplace(pool: Pool, name: string): Promise<number | null> {
  const vocabulary = await findVocabulary(pool, name);
  if (vocabulary === null) return 0;
  const newest = (await findNewestVersions(pool, [vocabulary.id])).get(vocabulary.id);
  return newest?.createdBy === BUILT_IN ? newest.version : null;
}

/** Another process put it first, or a person did. */
function ignoreOthersChange(error: unknown): void {
  if (!(error instanceof PlatformError && error.code === 'CONFLICT')) throw error;
}
