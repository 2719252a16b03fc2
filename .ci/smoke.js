// The README's first command, as a newcomer has it: `npm start` with nothing there yet, one search over GraphQL, Ctrl-C.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What the README promises. */
const READY_WITHIN_MS = 180_000;
const GONE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 200;

const dataFolder = mkdtempSync(join(tmpdir(), 'sharelock-smoke-'));
const env = { ...process.env, DATA_DIR: dataFolder, DATABASE_URL: '', HOST: '127.0.0.1' };
// A process group of its own: Ctrl-C reaches the whole of it, as in a terminal.
const server = spawn('npm', ['start', '--', '--port', '0'], {
  ...{ cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
});
const exit = once(server, 'exit');
let output = '';
for (const stream of [server.stdout, server.stderr]) {
  stream.setEncoding('utf8').on('data', (text) => (output += text));
}

try {
  const startedAt = Date.now();
  const url = await until(READY_WITHIN_MS, 'ready', () => {
    if (server.exitCode !== null) throw new Error('The server ended before it was ready.');
    return /is ready: +(\S+)/.exec(output)?.[1];
  });
  console.log(`Ready after ${Math.round((Date.now() - startedAt) / 1000)} s at ${url}.`);
  const first = await search(url, makeKey());
  if (first !== 'samples/scarlet-macaw.jpg') throw new Error(`"a parrot" found ${first} first.`);
  process.kill(-server.pid, 'SIGINT');
  await until(GONE_WITHIN_MS, 'gone after Ctrl-C', () => left().length === 0);
  console.log('Found the parrot, stopped, and nothing is left running.');
} catch (error) {
  console.error(`${error.message}\nIt wrote:\n${output}\nStill running:\n${left().join('\n')}`);
  process.exitCode = 1;
  if (left().length > 0) await killAll();
} finally {
  rmSync(dataFolder, { recursive: true, force: true });
}

function makeKey() {
  const args = ['key', 'create', '--role', 'READER', '--json'];
  const answer = execFileSync(join(ROOT, 'bin/sharelock'), args, { env, encoding: 'utf8' });
  return JSON.parse(answer).secret;
}

async function search(url, key) {
  const query =
    '{ search(input: { collection: "demo", text: "a parrot" }, first: 1) { edges { node { path } } } }';
  const response = await globalThis.fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  const first = JSON.parse(text).data?.search.edges[0]?.node.path;
  if (first === undefined) throw new Error(`The search was answered with ${text}`);
  return first;
}

async function until(withinMs, what, look) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`Not ${what} within ${withinMs / 1000} s.`);
    await pause(LOOK_EVERY_MS);
  }
}

/** Processes of the server's group, and those that have the data folder in their command line (Postgres has a group of its own). */
function left() {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=,pid=,stat=,args='], { encoding: 'utf8' });
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(`${server.pid} `) || line.includes(dataFolder))
    .filter((line) => !/^\d+ +\d+ +Z/.test(line));
}

async function killAll() {
  for (const line of left()) {
    try {
      process.kill(Number(line.split(/ +/)[1]), 'SIGKILL');
    } catch {
      // gone by itself
    }
  }
  await exit;
}
