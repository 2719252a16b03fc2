/** The command line's entry point: the only file of it that reads the environment and ends the process. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { PlatformError } from '../platform/errors.ts';
import { createProgram } from './program.ts';

const DEFAULT_BUNDLE = fileURLToPath(new URL('../models/bundles/default', import.meta.url));

const MAX_COMMAND_LINE = 16_000;

const EXIT_FAILED = 1;
const EXIT_WRONG_USE = 2;
/** What shells give a command that Ctrl-C ended: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.removeAllListeners(signal); // the launcher's
  process.once(signal, () => {
    interruption.abort(new Error(signal));
  });
}
// `sharelock … | head` closes the pipe early; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED);
});

const namedBundle = process.env['MODEL_BUNDLE'];
const program = createProgram({
  bundle: resolve(namedBundle === undefined || namedBundle === '' ? DEFAULT_BUNDLE : namedBundle),
  environment: process.env,
  signal: interruption.signal,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
});

try {
  refuseLongCommandLine(process.argv);
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

/** ONNX Runtime crashes while it loads a graph in a process whose command line is longer than some 20,000 characters. */
function refuseLongCommandLine(argv: readonly string[]): void {
  if (argv.join(' ').length <= MAX_COMMAND_LINE) return;
  const message = `The command line is longer than ${MAX_COMMAND_LINE} characters: give long texts with --texts FILE.`;
  throw new PlatformError('BAD_USER_INPUT', message);
}

/** One line that says what would have worked; a stack trace only for what is our own bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_USE;
  if (!(error instanceof PlatformError)) {
    console.error(error);
    return EXIT_FAILED;
  }
  if (error.code === 'ABORTED') {
    console.error('Stopped.');
    return EXIT_INTERRUPTED;
  }
  console.error(`error: ${error.message.replaceAll('\n', ' ')} [${error.code}]`);
  return EXIT_FAILED;
}
