import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import type { Command } from 'commander';
import { messageOf, PlatformError } from '../../platform/errors.ts';
import { Bundle } from '../../models/bundle.ts';
import type { Embedding } from '../../models/embedding.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import type { CommandContext } from '../program.ts';

interface EncodeFlags {
  readonly text?: string;
  readonly texts?: string;
  readonly image?: string;
  readonly bundle: string;
  readonly json?: true;
}

export function addEncodeCommand(program: Command, context: CommandContext): void {
  program
    .command('encode')
    .description('Print the embedding of one text, of many, or of one image; a line each.')
    .option('--text <text>', 'text to encode')
    .option('--texts <file>', 'texts to encode, one a line; "-" reads standard input')
    .option('--image <file>', 'image file to encode')
    .option('--bundle <folder>', 'model bundle', context.bundle)
    .option('--json', 'print JSON: embedding, dimensions, visionSpace, textModel')
    .action(async (flags: EncodeFlags, command: Command) => {
      const { text, texts, image } = flags;
      if ([text, texts, image].filter((given) => given !== undefined).length !== 1) {
        const message = 'error: give one of --text TEXT, --texts FILE and --image FILE';
        command.error(message, { exitCode: 2 });
      }
      const given =
        text !== undefined ? [text] : texts !== undefined ? await readLines(texts) : null;
      const bundle = await Bundle.open(flags.bundle);
      const answers =
        given === null
          ? [await encodeImage(bundle, image ?? '', context)]
          : await encodeTexts(bundle, given, context);
      for (const answer of answers) context.out(format(answer, bundle, flags.json ?? false));
    });
}

interface Answer {
  readonly embedding: Embedding;
  readonly tokens?: number;
  readonly truncated?: boolean;
}

async function encodeTexts(
  bundle: Bundle,
  texts: readonly string[],
  { signal, err }: CommandContext,
): Promise<Answer[]> {
  const encoder = await TextEncoder.load(bundle, texts.length === 1 ? { sessions: 1 } : {});
  try {
    const encoded = await encoder.encode(texts, { signal });
    return encoded.map(({ embedding, tokens, isTruncated }, i) => {
      if (isTruncated) err(`warning: text ${i + 1} was cut after ${tokens} tokens.\n`);
      return { embedding, tokens, truncated: isTruncated };
    });
  } finally {
    await encoder.dispose();
  }
}

async function encodeImage(
  bundle: Bundle,
  file: string,
  { signal }: CommandContext,
): Promise<Answer> {
  const encoder = await ImageEncoder.load(bundle, { sessions: 1 });
  try {
    return { embedding: await encoder.encode(file, { signal }) };
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'IMAGE_UNREADABLE') throw error;
    throw new PlatformError(error.code, `${file}: ${error.message}`, { cause: error });
  } finally {
    await encoder.dispose();
  }
}

async function readLines(file: string): Promise<string[]> {
  try {
    const content = file === '-' ? await readStream(process.stdin) : await readFile(file, 'utf8');
    return content.replace(/\r?\n$/, '').split(/\r?\n/);
  } catch (cause) {
    throw new PlatformError('BAD_USER_INPUT', `${file} can't be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function format({ embedding, ...rest }: Answer, bundle: Bundle, asJson: boolean): string {
  if (!asJson) return `${[...embedding].map((value) => value.toFixed(6)).join(' ')}\n`;
  const { manifest, visionSpace, textModel } = bundle;
  const { dimensions } = manifest.vision;
  return `${JSON.stringify({ embedding: [...embedding], dimensions, visionSpace, textModel, ...rest })}\n`;
}
