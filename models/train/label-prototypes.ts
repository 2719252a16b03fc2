import { z } from 'zod';
import { PlatformError } from '../../platform/errors.ts';
import type { Bundle } from '../bundle.ts';
import { textFeatures, type FeatureOptions } from './features.ts';

/**
 * Extra pairs: for each class the vision backbone was trained on, where the backbone's own classifier says the class
 * lies in the vision space, and texts that name the class. They teach the projector words that no caption has.
 */
export interface LabelPrototypes {
  /** Unit vectors, [classes, dimensions]. */
  readonly embeddings: Float32Array;
  /** Language features of all texts, [texts, language dimensions]. */
  readonly texts: Float32Array;
  /** Per class: rows of `texts` that are templates with a name. */
  readonly named: readonly (readonly number[])[];
  /** Per class: rows of `texts` that are a name with its gloss. */
  readonly glossed: readonly (readonly number[])[];
}

const labelSchema = z.object({ names: z.array(z.string().min(1)).min(1), gloss: z.string() });

/** The bundle's label prototypes with their texts' features; null when the bundle has none. */
export async function readLabelPrototypes(
  bundle: Bundle,
  options: FeatureOptions,
): Promise<LabelPrototypes | null> {
  const { labelPrototypes, templates, vision } = bundle.manifest;
  if (!labelPrototypes) return null;
  const lines = (await bundle.read(labelPrototypes.labels)).toString('utf8').trim().split('\n');
  const labels = lines.map((line) => labelSchema.parse(JSON.parse(line)));
  const bytes = await bundle.read(labelPrototypes.embeddings);
  if (bytes.length !== labels.length * vision.dimensions * 4) {
    const want = `${labels.length} x ${vision.dimensions} float32 values`;
    throw new PlatformError('INVALID_BUNDLE', `${labelPrototypes.embeddings} must hold ${want}.`);
  }
  const embeddings = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );

  const texts: string[] = [];
  const rowOf = (text: string): number => texts.push(text) - 1;
  const named = labels.map(({ names }) =>
    names.flatMap((name) => templates.map((template) => rowOf(template.replace('{}', () => name)))),
  );
  const glossed = labels.map(({ names, gloss }) => names.map((name) => rowOf(`${name}, ${gloss}`)));
  return { embeddings, texts: await textFeatures(bundle, texts, options), named, glossed };
}
