import type { Command } from 'commander';
import { PlatformError } from '../../platform/errors.ts';
import { Bundle } from '../../models/bundle.ts';
import { ImageEncoder } from '../../models/image-encoder.ts';
import { TextEncoder } from '../../models/text-encoder.ts';
import type { CommandContext } from '../program.ts';

interface EncodeFlags {
  readonly text?: string;
  readonly image?: string;
  readonly bundle: string;
  readonly json?: true;
}

export function addEncodeCommand(program: Command, context: CommandContext): void {
  program
    .command('encode')
    .description('Print the embedding of one text or one image.')
    .option('--text <text>', 'text to encode')
    .option('--image <file>', 'image file to encode')
    .option('--bundle <folder>', 'model bundle', context.bundle)
    .option('--json', 'print JSON: embedding, dimensions, visionSpace, textModel')
    .action(async (flags: EncodeFlags, command: Command) => {
      const { text, image } = flags;
      if ((text === undefined) === (image === undefined)) {
        command.error('error: give either --text TEXT or --image FILE', { exitCode: 2 });
      }
      const bundle = await Bundle.open(flags.bundle);
      const answer =
        text === undefined
          ? await encodeImage(bundle, image ?? '', context)
          : await encodeText(bundle, text, context);
      const { embedding, ...rest } = answer;
      context.out(
        flags.json
          ? `${JSON.stringify({ embedding, ...rest })}\n`
          : `${embedding.map((value) => value.toFixed(6)).join(' ')}\n`,
      );
    });
}

interface Answer {
  readonly embedding: readonly number[];
  readonly dimensions: number;
  readonly visionSpace: string;
  readonly textModel: string;
  readonly tokens?: number;
  readonly truncated?: boolean;
}

async function encodeText(
  bundle: Bundle,
  text: string,
  { signal, err }: CommandContext,
): Promise<Answer> {
  const encoder = await TextEncoder.load(bundle, { sessions: 1 });
  try {
    const [encoded] = await encoder.encode([text], { signal });
    if (!encoded) throw new Error('One text in, no embedding out.');
    const { embedding, tokens, isTruncated } = encoded;
    if (isTruncated) err(`warning: the text was cut after ${tokens} tokens.\n`);
    return { embedding: [...embedding], ...identity(bundle), tokens, truncated: isTruncated };
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
    return { embedding: [...(await encoder.encode(file, { signal }))], ...identity(bundle) };
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'IMAGE_UNREADABLE') throw error;
    throw new PlatformError(error.code, `${file}: ${error.message}`, { cause: error });
  } finally {
    await encoder.dispose();
  }
}

function identity(bundle: Bundle): Pick<Answer, 'dimensions' | 'visionSpace' | 'textModel'> {
  const { manifest, visionSpace, textModel } = bundle;
  return { dimensions: manifest.vision.dimensions, visionSpace, textModel };
}
