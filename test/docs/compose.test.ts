import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** There is no Docker where tests run: this checks what can be read off the files. */
const ROOT = join(import.meta.dirname, '../..');

describe('docker-compose.yml', () => {
  test('is indented by two, without tabs or repeated keys', async () => {
    const lines = meaningful(await read('docker-compose.yml'));

    expect(lines.filter((line) => line.includes('\t'))).toEqual([]);
    expect(lines.filter((line) => indentOf(line) % 2 === 1)).toEqual([]);
    const paths = keyPaths(lines);
    expect(paths).toHaveLength(new Set(paths).size);
  });

  test('has the three services, each with what it depends on', async () => {
    const paths = keyPaths(meaningful(await read('docker-compose.yml')));

    const services = paths.filter((path) => /^services\.\w+$/.test(path));
    expect(services).toEqual(['services.postgres', 'services.api', 'services.indexer']);
    expect(paths).toEqual(
      expect.arrayContaining([
        'services.postgres.healthcheck.test',
        'services.api.depends_on.postgres.condition',
        'services.api.healthcheck.test',
        'services.indexer.depends_on.api.condition',
        'volumes.database',
        'volumes.data',
      ]),
    );
  });

  test('uses every anchor that it names, and names every one that it uses', async () => {
    const text = await read('docker-compose.yml');

    expect(matches(text, / \*(\w+)$/gm)).toEqual(matches(text, / &(\w+)$/gm));
  });

  test('starts files that exist, and only by what the image has', async () => {
    const text = await read('docker-compose.yml');
    const commands = Array.from(text.matchAll(/^ +command: (\[.*\])$/gm), ([, it = '']) =>
      parse(it),
    );

    expect(commands).toHaveLength(2);
    for (const [program, ...rest] of commands) {
      expect([program, ...rest.slice(0, -1)]).toEqual(['node', '--import', 'tsx']);
      await access(join(ROOT, rest.at(-1) ?? ''));
    }
  });

  test('sets only settings that there are, and has no secret in it', async () => {
    const text = await read('docker-compose.yml');
    const known = matches(await read('.env.example'), /^# ([A-Z_]+)=/gm);

    const set = matches(text, /^ {6}([A-Z_]+): /gm).filter((it) => !it.startsWith('POSTGRES_'));
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
    expect(matches(text, /\$\{([A-Z_]+)/g).filter((name) => !known.includes(name))).toEqual([]);
    expect(matches(text, /(?:PASSWORD: |sharelock:)(?!\$\{)(\S+)/g)).toEqual([]);
  });
});

describe('Dockerfile', () => {
  test('copies what exists and is not ignored', async () => {
    const text = await read('Dockerfile');
    const ignored = meaningful(await read('.dockerignore'));

    const sources = matches(text, /^COPY (?!--)(.+) \S+$/gm).flatMap((it) => it.split(' '));
    expect(sources).toContain('package-lock.json');
    for (const source of sources) {
      await access(join(ROOT, source));
      expect(ignored).not.toContain(source);
    }
  });

  test('takes in no secret, no data and nothing generated', async () => {
    expect(meaningful(await read('.dockerignore'))).toEqual(
      expect.arrayContaining(['.env', '.git', 'data', '**/node_modules', '**/generated']),
    );
  });

  test('ends without root, on the API', async () => {
    const lines = meaningful(await read('Dockerfile'));

    expect(lines.findLast((line) => line.startsWith('USER '))).toBe('USER node');
    expect(parse(lines.at(-1)?.replace('CMD ', '') ?? '')).toEqual([
      ...['node', '--import', 'tsx', 'api/main.ts'],
    ]);
  });
});

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

function meaningful(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** `services.api.image` and so on, of block mappings; that is all the file is made of. */
function keyPaths(lines: readonly string[]): readonly string[] {
  const open: { readonly indent: number; readonly key: string }[] = [];
  return lines.flatMap((line) => {
    const key = /^ *([\w-]+):(?: |$)/.exec(line)?.[1];
    if (key === undefined) return [];
    const indent = indentOf(line);
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
    open.push({ indent, key });
    return open.map((one) => one.key).join('.');
  });
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...new Set(Array.from(text.matchAll(pattern), ([, found]) => found ?? ''))].sort();
}

/** A list of strings in brackets, as YAML and the Dockerfile write it. */
function parse(list: string): readonly string[] {
  return JSON.parse(list.replaceAll("'", '"')) as readonly string[];
}
