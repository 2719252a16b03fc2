import { InvalidArgumentError, type Command } from 'commander';
import { recordAudit } from '../../store/audit.ts';
import {
  createApiKey,
  listApiKeys,
  revokeApiKey,
  type ApiKeyRecord,
  type Role,
} from '../../store/api-keys.ts';
import { findCollectionsByIds, getCollection } from '../../store/collections.ts';
import type { Database } from '../../store/database.ts';
import type { CommandContext } from '../program.ts';
import { formatTable } from '../table.ts';
import { COMMAND_LINE, withDatabase } from '../with-database.ts';

interface CreateFlags {
  readonly role: Role;
  readonly collection?: readonly string[];
  readonly name: string;
  readonly json?: true;
}

export function addKeyCommand(program: Command, context: CommandContext): void {
  const key = program.command('key').description('Make, list and revoke API keys.');
  key
    .command('create')
    .description('Make a key. Its secret is shown this once.')
    .requiredOption('--role <role>', 'READER, CURATOR or ADMIN', parseRole)
    .option(
      '--collection <name>',
      'a collection it may see; again for more (default: all)',
      (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
    )
    .option('--name <text>', 'what it is for', '')
    .option('--json', 'print JSON: id, prefix, secret, role')
    .action((flags: CreateFlags) => createKey(flags, context));
  key
    .command('list')
    .description('List keys, newest first.')
    .option('--json', 'print JSON')
    .action((flags: { readonly json?: true }) => listKeys(flags, context));
  key
    .command('revoke')
    .description('End a key for good.')
    .argument('<id>', "the key's id or prefix")
    .action((id: string) => revokeKey(id, context));
}

function parseRole(text: string): Role {
  const role = (['READER', 'CURATOR', 'ADMIN'] as const).find((one) => one === text.toUpperCase());
  if (role !== undefined) return role;
  throw new InvalidArgumentError('It must be READER, CURATOR or ADMIN.');
}

function createKey(
  { role, collection: names, name, json }: CreateFlags,
  context: CommandContext,
): Promise<void> {
  return withDatabase(context, async ({ prisma, pool }) => {
    const scope = names && (await Promise.all(names.map((one) => getCollection(prisma, one))));
    const collections = scope?.map(({ id }) => id) ?? null;
    const now = new Date();
    const { key, secret } = await createApiKey(prisma, { role, name, collections }, now);
    const detail = { role, collections: names ?? null };
    const entry = { actor: COMMAND_LINE, action: 'key create', subject: key.prefix };
    await recordAudit(pool, { ...entry, detail, now });
    const { id, prefix } = key;
    if (json) context.out(`${JSON.stringify({ id, prefix, secret, role })}\n`);
    else {
      context.out(`${secret}\n`);
      context.err(`A key for ${role}. It is not shown again.\n`);
    }
  });
}

function listKeys({ json }: { readonly json?: true }, context: CommandContext): Promise<void> {
  return withDatabase(context, async (database) => {
    const keys = await describeAll(database, await listApiKeys(database.prisma));
    if (json) {
      context.out(`${JSON.stringify(keys)}\n`);
      return;
    }
    const rows = keys.map((key) => [
      ...[key.prefix, key.role, key.collections?.join(', ') ?? 'all', key.name],
      key.revokedAt === null ? (day(key.lastUsedAt) ?? 'never used') : 'revoked',
    ]);
    context.out(formatTable([['prefix', 'role', 'collections', 'name', 'last used'], ...rows]));
  });
}

async function describeAll({ prisma }: Database, keys: readonly ApiKeyRecord[]) {
  const ids = keys.flatMap(({ collections }) => collections ?? []);
  const found = await findCollectionsByIds(prisma, ids);
  const names = new Map(found.map(({ id, name }) => [id, name]));
  return keys.map((key) => ({
    ...key,
    collections: key.collections?.map((id) => names.get(id) ?? id) ?? null,
  }));
}

function day(date: Date | null): string | null {
  return date?.toISOString().slice(0, 10) ?? null;
}

function revokeKey(id: string, context: CommandContext): Promise<void> {
  return withDatabase(context, async ({ prisma, pool }) => {
    const now = new Date();
    const { prefix } = await revokeApiKey(prisma, id, now);
    const entry = { actor: COMMAND_LINE, action: 'key revoke', subject: prefix };
    await recordAudit(pool, { ...entry, detail: {}, now });
    context.err(`${prefix} is revoked.\n`);
  });
}
