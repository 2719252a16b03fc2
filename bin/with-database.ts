import { parseConfig } from '../api/config.ts';
import { createLogger } from '../platform/logger.ts';
import { Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { CommandContext } from './program.ts';

/** Gives a command the database of the settings, up to date, and closes it afterwards. */
export async function withDatabase<T>(
  { environment }: CommandContext,
  run: (database: Database) => Promise<T>,
): Promise<T> {
  const { databaseUrl: url, dataFolder } = parseConfig(environment);
  const logger = createLogger({ level: 'silent' });
  const applicationName = 'sharelock command line';
  const database = await Database.open({ url, dataFolder, applicationName, logger });
  try {
    await migrate(database.pool);
    return await run(database);
  } finally {
    await database.close();
  }
}

/** Who did it, in the audit log. */
export const COMMAND_LINE = 'command line';
