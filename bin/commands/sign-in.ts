import type { Command } from 'commander';
import { parseConfig } from '../../api/config.ts';
import type { CommandContext } from '../program.ts';
import { findServer } from '../server-file.ts';
import { createSignInLink } from '../sign-in-link.ts';
import { withDatabase } from '../with-database.ts';

export function addSignInCommand(program: Command, context: CommandContext): void {
  program
    .command('sign-in')
    .description('Print a link that signs one browser in as ADMIN, once, within the hour.')
    .action(() =>
      withDatabase(context, async ({ prisma }) => {
        const { dataFolder, host, port, publicUrl } = parseConfig(context.environment);
        const url = publicUrl ?? (await findServer(dataFolder))?.url ?? `http://${host}:${port}`;
        context.out(`${await createSignInLink(prisma, url)}\n`);
      }),
    );
}
