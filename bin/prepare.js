// Makes what is generated and not committed: the Prisma client, and for a server the web page. Each step runs again only when its
// inputs changed; `npm run build` makes all. Plain JavaScript, because it runs before anything generated can be imported.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const STEPS = {
  'database client': {
    inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'],
    output: 'store/generated/prisma/client.ts',
    stamp: 'store/generated/.stamp',
    command: () => [require.resolve('prisma/build/index.js'), 'generate', '--no-hints'],
  },
  'web page': {
    inputs: ['web/index.html', 'web/src', 'web/public', 'web/vite.config.ts', 'package-lock.json'],
    output: 'web/dist/index.html',
    stamp: 'web/dist/.stamp',
    command: () => [
      join(dirname(require.resolve('vite/package.json')), 'bin', 'vite.js'),
      ...['build', 'web', '--logLevel', 'warn'],
    ],
  },
};

/** Makes the named parts where they are missing or stale. Throws an Error that says what failed. */
export function prepare(names) {
  for (const name of names) {
    const step = STEPS[name];
    const wanted = hashOf(step.inputs);
    if (isDone(step, wanted)) continue;
    withLock(step, () => {
      if (isDone(step, wanted)) return; // another process was quicker
      if (process.stderr.isTTY) process.stderr.write(`Making the ${name} …\n`);
      run(name, step.command());
      writeFileSync(join(ROOT, step.stamp), wanted);
    });
  }
}

function isDone({ output, stamp }, wanted) {
  if (!existsSync(join(ROOT, output)) || !existsSync(join(ROOT, stamp))) return false;
  return readFileSync(join(ROOT, stamp), 'utf8') === wanted;
}

function hashOf(inputs) {
  const hash = createHash('sha256');
  for (const path of inputs.flatMap(filesOf)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesOf(path) {
  const full = join(ROOT, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full)
    .sort()
    .filter((name) => name !== 'generated')
    .flatMap((name) => filesOf(join(path, name)));
}

const LOCK_AGE_MS = 120_000;

/** One process at a time; a lock that is too old belongs to one that was killed. */
function withLock({ stamp }, work) {
  const lock = join(ROOT, `node_modules/.${stamp.replaceAll('/', '-')}.lock`);
  const deadline = Date.now() + LOCK_AGE_MS;
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx'));
      break;
    } catch (error) {
      if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'ENOENT') break; // can't lock: work alone
      if (error.code !== 'EEXIST') throw error;
      if (Date.now() > deadline || ageOf(lock) > LOCK_AGE_MS) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function ageOf(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function run(name, [script, ...args]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status === 0) return;
  throw new Error(`The ${name} could not be made:\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare(Object.keys(STEPS));
