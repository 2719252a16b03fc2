import { Command } from 'commander';
import type { Environment } from '../platform/settings.ts';
import { addCollectionsCommand } from './commands/collections.ts';
import { addBundleCommand } from './commands/bundle.ts';
import { addEncodeCommand } from './commands/encode.ts';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addIndexCommand } from './commands/index-folder.ts';
import { addGenerationCommands } from './commands/generations.ts';
import { addJobCommands } from './commands/job.ts';
import { addKeyCommand } from './commands/key.ts';
import { addReindexCommand } from './commands/reindex.ts';
import { addReportCommand } from './commands/report.ts';
import { addSearchCommand } from './commands/search.ts';
import { addSignInCommand } from './commands/sign-in.ts';
import { addSourceCommands } from './commands/sources.ts';
import { addStartCommand } from './commands/start.ts';
import { addStopCommand } from './commands/stop.ts';
import { addTagCommand } from './commands/tag.ts';
import { addTagsCommand } from './commands/tags.ts';
import { addTrainCommand } from './commands/train.ts';
import { addVocabularyCommand } from './commands/vocabulary.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWorkerCommand } from './commands/worker.ts';

/** What commands get from the process. */
export interface CommandContext {
  /** The bundle to use when none is named (MODEL_BUNDLE, or the shipped one). */
  readonly bundle: string;
  /** The process's environment, for a command's `parseConfig`. */
  readonly environment: Environment;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes answers. */
  readonly out: (text: string) => void;
  /** Writes progress and warnings. */
  readonly err: (text: string) => void;
  /** Whether progress can be drawn as a bar. */
  readonly isTerminal: boolean;
}

export function createProgram(context: CommandContext): Command {
  const program = new Command('sharelock')
    .description('Find and tag pictures by describing them.')
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: context.err });
  addStartCommand(program, context);
  addStopCommand(program, context);
  addIndexCommand(program, context);
  addSearchCommand(program, context);
  addCollectionsCommand(program, context);
  addSourceCommands(program, context);
  addJobCommands(program, context);
  addReindexCommand(program, context);
  addGenerationCommands(program, context);
  addTagCommand(program, context);
  addTagsCommand(program, context);
  addReportCommand(program, context);
  addWorkerCommand(program, context);
  addKeyCommand(program, context);
  addSignInCommand(program, context);
  addEvaluateCommand(program, context);
  addTrainCommand(program, context);
  addBundleCommand(program, context);
  addVocabularyCommand(program, context);
  addVerifyCommand(program, context);
  addEncodeCommand(program, context);
  program.addHelpText(
    'after',
    `
Exit codes: 0 good, 1 failed, 2 wrong use, 130 stopped.
Environment: DATA_DIR, DATABASE_URL, MEDIA_ROOTS, MODEL_BUNDLE, PORT, HOST, VECTOR_ENGINE and others; README.md says what they mean.`,
  );
  return program;
}
