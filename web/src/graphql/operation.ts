import type { Operation } from './client.ts';

/** Of a file's text, and the texts of the fragments it uses. */
export function operation<Data, Variables>(
  ...texts: readonly string[]
): Operation<Data, Variables> {
  return { text: texts.join('\n') };
}
