import type { WrittenVocabulary } from '../vocabulary-input.ts';
import { readCsv, writeCsv } from './csv.ts';
import { readJson, writeJson } from './json.ts';
import { readSkos, writeSkos } from './skos.ts';

/** How a vocabulary is written down; the same words as in the API. */
export type VocabularyFormat = 'CSV' | 'JSON' | 'SKOS';

interface Format {
  /** Throws `BAD_USER_INPUT`; what it gives is still to be checked. */
  readonly read: (content: string) => WrittenVocabulary;
  readonly write: (vocabulary: WrittenVocabulary) => string;
}

export const FORMATS: Readonly<Record<VocabularyFormat, Format>> = {
  CSV: { read: readCsv, write: writeCsv },
  JSON: { read: readJson, write: writeJson },
  SKOS: { read: readSkos, write: writeSkos },
};
