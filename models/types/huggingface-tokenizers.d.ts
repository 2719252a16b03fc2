/**
 * What we use of @huggingface/tokenizers 0.2.0. Its own declarations import without file endings, which TypeScript
 * does not resolve in native ESM; an ambient declaration comes before them.
 */
declare module '@huggingface/tokenizers' {
  export class Tokenizer {
    constructor(definition: object, config: object);
    /** Never truncates; adds the special tokens its definition names. */
    encode(text: string): { readonly ids: readonly number[] };
  }
}
