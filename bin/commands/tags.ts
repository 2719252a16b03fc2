import type { Command } from 'commander';
import type { CommandContext } from '../program.ts';
import { addExportCommand } from './tags-export.ts';

/** What is done with tags that are there; each has its file. */
export function addTagsCommand(program: Command, context: CommandContext): void {
  const tags = program.command('tags').description('Take tags elsewhere.');
  addExportCommand(tags, context);
}
