import { createHash } from 'node:crypto';
import type { Manifest } from './manifest.ts';

/**
 * What decides a vision space, and nothing else: SHA-256 over the hashes of the vision graph's files and the image
 * settings. Two bundles with the same fingerprint give the same embedding for the same photo.
 */
export function visionSpaceFingerprint({ vision, files }: Manifest): string {
  const { graph, input, dimensions } = vision;
  return fingerprint('vision-space', { graph: hashesOf(graph, files), input, dimensions });
}

/** What decides language features: the language graph, its tokenizer and how a text is prepared. */
export function languageFingerprint({ language, files }: Manifest): string {
  const { graph, tokenizer, maxTokens, text, dimensions } = language;
  return fingerprint('language', {
    graph: hashesOf(graph, files),
    tokenizer: hashesOf([tokenizer.definition, tokenizer.config], files),
    maxTokens,
    text,
    dimensions,
  });
}

/** Language features, projector and templates, with the vision space they were trained for. */
export function textModelFingerprint(manifest: Manifest): string {
  return fingerprint('text-model', {
    language: languageFingerprint(manifest),
    projector: hashesOf(manifest.projector?.graph ?? [], manifest.files),
    templates: manifest.templates,
    visionSpace: visionSpaceFingerprint(manifest),
  });
}

function hashesOf(names: readonly string[], files: Manifest['files']): string[] {
  return names.map((name) => files[name]?.sha256 ?? '');
}

function fingerprint(kind: string, settings: unknown): string {
  return createHash('sha256').update(canonicalJson({ kind, settings })).digest('hex');
}

/** JSON with sorted keys, so that the same settings give the same bytes however they were written. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
