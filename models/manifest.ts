import { z } from 'zod';

export const FORMAT = 'sharelock-bundle';
/** Raised when a field changes its meaning; a bundle of another version is refused. */
export const FORMAT_VERSION = 1;

/** A file's own name: no folders, so that nothing outside the bundle is ever read. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be a plain file name');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');
const count = z.int().positive();

/** The files whose bytes, joined in order, are one ONNX graph. */
const graphParts = z.array(fileName).min(1);

const imageInput = z.strictObject({
  width: count,
  height: count,
  /** `stretch` ignores the aspect ratio; `crop` scales the short side to `cropFrom` and takes the middle. */
  fit: z.enum(['stretch', 'crop']),
  cropFrom: count.optional(),
  /** Resize kernel, as sharp names it. */
  kernel: z.enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
});

const vision = z.strictObject({
  name: z.string().min(1),
  backbone: z.string().min(1),
  /** uint8 `pixels` [N, height, width, 3] in, float32 `embedding` [N, dimensions] of length 1 out. */
  graph: graphParts,
  input: imageInput,
  dimensions: count,
});

const language = z.strictObject({
  name: z.string().min(1),
  /** int64 `input_ids` and `attention_mask` [N, tokens] in, float32 `features` [N, dimensions] out. */
  graph: graphParts,
  tokenizer: z.strictObject({ definition: fileName, config: fileName }),
  /** Longer texts are cut here. */
  maxTokens: count,
  /** What is done to a text before it is cut into tokens. */
  text: z.strictObject({
    foldWhitespace: z.boolean(),
    /** Characters cut from the end. */
    cutTrailing: z.string(),
    /** Added at the end. */
    suffix: z.string(),
  }),
  /** Which hidden states the graph gives, in order: after which layer, pooled how. For the record. */
  features: z
    .array(z.strictObject({ layer: z.int().nonnegative(), pool: z.enum(['mean', 'last']) }))
    .min(1),
  dimensions: count,
});

const projector = z.strictObject({
  /** float32 `features` [N, language dimensions] in, float32 `embedding` [N, vision dimensions] of length 1 out. */
  graph: graphParts,
  /** How it was trained, for the record. */
  training: z.record(z.string(), z.json()).optional(),
});

export const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(FORMAT_VERSION),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes'),
  version: count,
  license: z.string(),
  vision,
  language,
  /** Absent in a bundle that is still to be trained. */
  projector: projector.optional(),
  /** Prompts for class names; `{}` is the name. */
  templates: z.array(z.string().includes('{}')).min(1),
  /** Where the vision backbone's own classes lie in the space: extra pairs for training. */
  labelPrototypes: z.strictObject({ labels: fileName, embeddings: fileName }).optional(),
  /** The model card, for people. */
  card: fileName.optional(),
  /** What the maker measured; checked against the files when present. */
  fingerprints: z.strictObject({ visionSpace: sha256, textModel: sha256 }).optional(),
  metrics: z.record(z.string(), z.json()).optional(),
  files: z.record(fileName, z.strictObject({ bytes: z.int().nonnegative(), sha256 })),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ImageInput = Manifest['vision']['input'];
export type TextInput = Manifest['language']['text'];
