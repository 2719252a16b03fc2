import type { Command } from 'commander';
import type { CommandContext } from '../program.ts';
import { addExportCommand } from './tags-export.ts';
import { addRevertCommand } from './tags-revert.ts';
import { addRunsCommand } from './tags-runs.ts';

/** What is done with tags that are there; each has its file. */
export function addTagsCommand(program: Command, context: CommandContext): void {
  const tags = program
    .command('tags')
    .description('List tag runs, take them back, and write tags elsewhere.');
  addRunsCommand(tags, context);
  addRevertCommand(tags, context);
  addExportCommand(tags, context);
}
