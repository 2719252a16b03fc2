import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { messageOf, PlatformError } from '../platform/errors.ts';
import type { Bundle } from './bundle.ts';
import type { TextInput } from './manifest.ts';

export interface Tokens {
  readonly ids: readonly number[];
  /** Whether the text had more tokens than the limit and was cut there. */
  readonly isTruncated: boolean;
}

export interface TokenizerOptions {
  readonly text: TextInput;
  /** Most tokens a text may have; the rest is cut. */
  readonly maxTokens: number;
}

/** Anything a reader would see; white space, controls and other invisible characters alone make no text. */
const VISIBLE = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u;

/** Whether there is anything to read in a text. */
export function hasText(text: string): boolean {
  return VISIBLE.test(text);
}

/** No token of a real vocabulary spans more characters: what lies further back can't reach the kept tokens. */
const MAX_CHARACTERS_PER_TOKEN = 128;

/** Text to token ids: the text prepared as the bundle says, then its language model's own tokenizer. */
export class Tokenizer {
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #options: TokenizerOptions;

  constructor(definition: object, config: object, options: TokenizerOptions) {
    this.#tokenizer = new HuggingFaceTokenizer(definition, config);
    this.#options = options;
  }

  static async load(bundle: Bundle): Promise<Tokenizer> {
    const { tokenizer, text, maxTokens } = bundle.manifest.language;
    const definition = parseJson(tokenizer.definition, await bundle.read(tokenizer.definition));
    const config = parseJson(tokenizer.config, await bundle.read(tokenizer.config));
    try {
      return new Tokenizer(definition, config, { text, maxTokens });
    } catch (cause) {
      throw new PlatformError(
        'INVALID_BUNDLE',
        `The tokenizer can't be built: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** Throws `EMPTY_TEXT` when there is nothing to see in the text. */
  encode(text: string): Tokens {
    if (!hasText(text)) {
      throw new PlatformError(
        'EMPTY_TEXT',
        'The text is empty: give at least one visible character.',
      );
    }
    const { maxTokens } = this.#options;
    const prepared = prepareText(text, this.#options.text);
    const ids = this.encodeRaw(prepared.slice(0, maxTokens * MAX_CHARACTERS_PER_TOKEN));
    return { ids: ids.slice(0, maxTokens), isTruncated: ids.length > maxTokens };
  }

  /** Token ids of exactly this text, without preparation or limit. */
  encodeRaw(text: string): readonly number[] {
    return this.#tokenizer.encode(text).ids;
  }
}

/** The text as the language model sees it, `model-recipe`'s form by default: "A dog  runs ." gives "A dog runs." */
export function prepareText(
  text: string,
  { foldWhitespace, cutTrailing, suffix }: TextInput,
): string {
  const folded = foldWhitespace ? text.replaceAll(/\s+/gu, ' ').trim() : text;
  let end = folded.length;
  const isCut = (character: string): boolean =>
    cutTrailing.includes(character) || (cutTrailing !== '' && character === ' ');
  while (end > 0 && isCut(folded.charAt(end - 1))) end--;
  return end === 0 ? folded : folded.slice(0, end) + suffix;
}

function parseJson(name: string, bytes: Buffer): object {
  try {
    return z.looseObject({}).parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new PlatformError('INVALID_BUNDLE', `${name} is not a JSON object: ${messageOf(cause)}`, {
      cause,
    });
  }
}
