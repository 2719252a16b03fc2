import type { Command } from 'commander';
import type { CommandContext } from '../program.ts';
import { addRevertCommand } from './tags-revert.ts';
import { addRunsCommand } from './tags-runs.ts';

/** What is done with tags that are there; each has its file. */
export function addTagsCommand(program: Command, context: CommandContext): void {
  const tags = program.command('tags').description('List tag runs, and take them back.');
  addRunsCommand(tags, context);
  addRevertCommand(tags, context);
}
