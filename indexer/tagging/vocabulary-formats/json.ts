import { z } from 'zod';
import { messageOf, PlatformError } from '../../../platform/errors.ts';
import type { WrittenLabel, WrittenVocabulary } from '../vocabulary-input.ts';

const texts = z.array(z.string()).default([]);

const labelShape = z.strictObject({
  name: z.string(),
  prompts: texts,
  negativePrompts: texts,
  examples: texts,
  threshold: z.number().nullable().default(null),
  parents: texts,
});

/** A label of which there is nothing to say but its name may be that name alone. */
const labelsShape = z.array(
  z.preprocess((label) => (typeof label === 'string' ? { name: label } : label), labelShape),
);

const vocabularyShape = z.strictObject({
  name: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
  labels: labelsShape,
});

/** `{ name, description, labels: […] }`, a line a label; what is empty is left out. */
export function writeJson({ name, description, labels }: WrittenVocabulary): string {
  const lines = labels.map((label) => `    ${JSON.stringify(withoutEmpty(label))}`);
  const head = [...field('name', name), ...field('description', description)].join('');
  return `{\n${head}  "labels": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function field(key: string, value: string | null): readonly string[] {
  return value === null ? [] : [`  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`];
}

function withoutEmpty(label: WrittenLabel): object {
  return Object.fromEntries(
    Object.entries(label).filter(
      ([, value]: readonly [string, unknown]) =>
        value !== null && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** Also a list of labels alone. Throws `BAD_USER_INPUT` that names the place. */
export function readJson(content: string): WrittenVocabulary {
  const value = parseJson(content);
  const parsed = vocabularyShape.safeParse(Array.isArray(value) ? { labels: value } : value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  const where = place === '' ? '' : `${place}: `;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `It is no vocabulary as JSON: ${where}${issue?.message ?? ''}. It is { name, description, labels: [{ name, prompts, negativePrompts, examples, threshold, parents }] }.`,
  );
}

/** Throws `BAD_USER_INPUT`; a byte order mark is none of the file's content. */
export function parseJson(content: string): unknown {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const message = `It is no JSON: ${messageOf(cause)}.`;
    throw new PlatformError('BAD_USER_INPUT', message, { cause });
  }
}
