import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const CONFIGS = ['api/config.ts', 'indexer/config.ts', 'platform/settings.ts'];
/** Those of docker-compose.yml itself. */
const COMPOSE_ONLY = ['POSTGRES_PASSWORD', 'MEDIA_FOLDER'];

describe('settings', () => {
  test('those of the configs are found', async () => {
    expect(await findSettings()).toEqual(
      expect.arrayContaining(['PORT', 'DATA_DIR', 'INDEXER_SESSIONS', 'LOG_LEVEL']),
    );
  });

  test('each stands in the table of README.md, and no other does', async () => {
    const readme = await read('README.md');
    const table = readme.slice(readme.indexOf('\n## Settings\n'));

    const rows = Array.from(table.matchAll(/^\| `([A-Z_]+)` /gm), ([, name]) => name);

    expect(rows.sort()).toEqual(await findSettings());
  });

  test('each stands in .env.example with its default, commented out, and no other does', async () => {
    const lines = (await read('.env.example')).split('\n').filter((line) => line !== '');

    const named = lines.flatMap((line) => /^# ([A-Z_]+)=/.exec(line)?.[1] ?? []);

    expect(named.sort()).toEqual([...(await findSettings()), ...COMPOSE_ONLY].sort());
    expect(lines.filter((line) => !line.startsWith('#'))).toEqual([]);
  });
});

/** Keys of the schemas: `NAME: z…`, `NAME: wholeNumber(…)`. Sorted. */
async function findSettings(): Promise<readonly string[]> {
  const sources = await Promise.all(CONFIGS.map(read));
  const found = sources.flatMap((source) =>
    Array.from(source.matchAll(/[\s{]([A-Z][A-Z_]+): /g), ([, name]) => name ?? ''),
  );
  return [...new Set(found)].sort();
}

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}
