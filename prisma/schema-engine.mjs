#!/usr/bin/env node
// What the prisma command line calls for everything that touches a database. Prisma downloads a native program for this;
// this one has the same arguments and speaks the same JSON-RPC over stdio, but runs the engine's WebAssembly build from
// the package registry over the `pg` driver. prisma.config.ts names it; docs/decisions/0010-prisma-without-downloads.md
// says why. Keep `prisma`, `@prisma/adapter-pg` and `@prisma/schema-engine-wasm` at the same release.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

async function main(options) {
  if (options.wantsVersion) {
    console.log(`schema-engine-cli ${(await loadEngine()).version()}`);
    return;
  }
  if (options.command) {
    process.exitCode = await runCommand(options.command, options.url);
    return;
  }
  await serve(options);
  process.exit(0); // the engine keeps its pool open
}

function parseArguments(argv) {
  const options = { url: null, datamodels: [], command: null, wantsVersion: false };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--datasource') options.url = JSON.parse(argv[++i]).url;
    else if (argv[i] === '--datamodels') options.datamodels.push(argv[++i]);
    else if (argv[i] === 'cli') options.command = argv[++i];
    else if (argv[i] === '--version' || argv[i] === '-V') options.wantsVersion = true;
  }
  return options;
}

// ---- the JSON-RPC side ----------------------------------------------------------------------------------------------

/** Answers requests, one line each, in order, until stdin ends. */
async function serve({ url, datamodels }) {
  const glue = await loadEngine();
  let engine = null;
  const call = async (method, params) => {
    if (method === 'createDatabase') return createDatabase(url);
    engine ??= await glue.SchemaEngine.new(
      { datamodels: datamodels.length > 0 ? datamodels.map(readDatamodel) : undefined },
      (line) => process.env.DEBUG && process.stderr.write(`${line}\n`),
      engineAdapter(url),
    );
    return engine[method === 'getDatabaseVersion' ? 'version' : method](params);
  };

  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const { id, method, params } = JSON.parse(line);
    if (!method) continue; // the answer to a `print` of ours
    try {
      const result = await call(method, params);
      if (method === 'diff') printDiff(result);
      send({ id, result: result ?? {} });
    } catch (error) {
      send({ id, error: toRpcError(error) });
    }
  }
}

function readDatamodel(file) {
  return [file, readFileSync(file, 'utf8')];
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/** The WebAssembly build returns a diff's text; the native one sends it as a notification of its own. */
function printDiff(result) {
  if (result?.stdout == null) return;
  send({ id: Date.now(), method: 'print', params: { content: result.stdout } });
  result.stdout = null;
}

function toRpcError({ code, message, meta }) {
  const data = code
    ? { is_panic: false, message, meta: meta ?? null, error_code: code }
    : { is_panic: false, message, backtrace: null };
  return { code: 4466, message: 'An error happened. Check the data field for details.', data };
}

// ---- the engine -----------------------------------------------------------------------------------------------------

async function loadEngine() {
  reportPanics();
  const require = createRequire(import.meta.url);
  const gluePath = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const glue = await import(pathToFileURL(gluePath).href);
  const wasm = readFileSync(join(dirname(gluePath), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

/** The engine's panics go through this global; the command line reads them from stderr. */
function reportPanics() {
  let last = '';
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    get: () => last,
    set_message(message) {
      last = message;
      writeLog({ message, is_panic: true });
    },
  };
}

function writeLog(fields) {
  const entry = { timestamp: new Date(), level: 'ERROR', fields, target: 'schema_engine::logger' };
  process.stderr.write(`${JSON.stringify(entry)}\n`);
}

// ---- the database side ----------------------------------------------------------------------------------------------

function engineAdapter(url) {
  readCatalogTypesAsText();
  const schema = new URL(url).searchParams.get('schema') ?? undefined;
  return bindMigrationAwareSqlAdapterFactory(new MigrationAdapter(url, schema));
}

class MigrationAdapter extends PrismaPg {
  #url;

  constructor(url, schema) {
    super(connectionFields(url), { schema });
    this.#url = url;
  }

  async connect() {
    return corrected(await super.connect());
  }

  /** The adapter's own drops the shadow database while its pool still holds it open. */
  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    await asAdministrator(this.#url, (client) => client.query(`CREATE DATABASE "${database}"`));
    const adapter = new PrismaPg({ ...connectionFields(this.#url), database });
    const connection = corrected(await adapter.connect());
    const close = connection.dispose.bind(connection);
    connection.dispose = async () => {
      await close();
      await asAdministrator(this.#url, (client) =>
        client.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`),
      );
    };
    return connection;
  }
}

/** Separate fields, not a connection string: a string's database would win over the shadow database's name. */
function connectionFields(url) {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const sslmode = searchParams.get('sslmode');
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(port || 5432),
    user: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    database: decodeURIComponent(pathname.slice(1)) || undefined,
    ssl:
      sslmode && sslmode !== 'disable' ? { rejectUnauthorized: sslmode === 'verify-full' } : false,
  };
}

const CHAR = 18;
/** The catalog types "char" and name and their arrays, which adapter-pg does not know, and what to read them as. */
const READ_AS = new Map([
  [CHAR, 25],
  [19, 25],
  [1002, 1009],
  [1003, 1009],
]);
/** Result rows → which columns are "char": the engine wants those as characters, not text. */
const charColumns = new WeakMap();

function readCatalogTypesAsText() {
  const addFields = pg.Result.prototype.addFields;
  pg.Result.prototype.addFields = function (fields) {
    const chars = [...fields.keys()].filter((i) => fields[i].dataTypeID === CHAR);
    if (chars.length > 0) charColumns.set(this.rows, chars);
    for (const field of fields)
      field.dataTypeID = READ_AS.get(field.dataTypeID) ?? field.dataTypeID;
    return addFields.call(this, fields);
  };
}

/** PostgreSQL 18 lists NOT NULL among the constraints ('n'), which this engine's introspection does not expect. */
const OLD_FILTER = "contype NOT IN ('p', 'u', 'f')";
const NEW_FILTER = "contype NOT IN ('p', 'u', 'f', 'n')";

function corrected(queryable) {
  const queryRaw = queryable.queryRaw.bind(queryable);
  queryable.queryRaw = async (query) => {
    const result = await queryRaw({ ...query, sql: query.sql.replace(OLD_FILTER, NEW_FILTER) });
    for (const column of charColumns.get(result.rows) ?? []) {
      result.columnTypes[column] = ColumnTypeEnum.Character;
    }
    return result;
  };
  // The adapter cuts scripts at every semicolon, comments and function bodies included; the server knows better.
  if (queryable.executeScript) {
    queryable.executeScript = async (script) => {
      await queryable
        .underlyingDriver()
        .query(script)
        .catch((error) => queryable.onError(error));
    };
  }
  const start = queryable.startTransaction?.bind(queryable);
  if (start) queryable.startTransaction = async (...args) => corrected(await start(...args));
  return queryable;
}

// ---- commands without the engine ------------------------------------------------------------------------------------

const COMMANDS = {
  'can-connect-to-database': (url) => withClient(connectionFields(url), () => undefined),
  'create-database': createDatabase,
  'drop-database': (url) =>
    asAdministrator(url, (client, name) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)),
};

/** PostgreSQL's error code → Prisma's. */
const ERROR_CODES = { '3D000': 'P1003', '28P01': 'P1000', '42P04': 'P1009' };

async function runCommand(command, url) {
  try {
    await COMMANDS[command](url);
    return 0;
  } catch (error) {
    const code = ERROR_CODES[error.code] ?? 'P1001';
    process.stderr.write('schema-engine\n');
    writeLog({ message: describe(code, error, new URL(url)), is_panic: false, error_code: code });
    return 1;
  }
}

function describe(code, error, { hostname, port, pathname }) {
  if (code === 'P1003') return `Database \`${pathname.slice(1)}\` does not exist`;
  if (code === 'P1001') return `Can't reach database server at \`${hostname}:${port}\``;
  return error.message;
}

async function createDatabase(url) {
  await asAdministrator(url, (client, name) => client.query(`CREATE DATABASE ${name}`));
  return { databaseName: connectionFields(url).database };
}

/** Runs on a database that is always there, with the wanted database's quoted name. */
async function asAdministrator(url, run) {
  const fields = connectionFields(url);
  const name = pg.escapeIdentifier(fields.database);
  const on = (database) => withClient({ ...fields, database }, (client) => run(client, name));
  try {
    return await on('postgres');
  } catch (error) {
    if (error.code !== '3D000') throw error; // there is no database "postgres"
    return on('template1');
  }
}

async function withClient(fields, run) {
  const client = new pg.Client(fields);
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

await main(parseArguments(process.argv.slice(2)));
