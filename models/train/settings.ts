/** How a projector is trained. The defaults are those of the default bundle; its model card has what each is worth. */
export interface TrainingSettings {
  /** Everything random follows from it. */
  readonly seed: number;
  /** Projectors trained apart, from seeds of their own, and averaged. More: better, in proportion slower and larger. Useful: 1 to 4. */
  readonly members: number;
  /** Width of the hidden layers. Higher: a little better, slower (time goes with its square). Useful: 512 to 4096. */
  readonly hidden: number;
  /** Linear layers. The paper has 4. */
  readonly layers: number;
  /** Share of hidden values dropped, 0..1. Useful: 0.2 to 0.4; small data wants more. */
  readonly dropout: number;
  /** Captions of one step, at most one a photo; all others of the batch are its negatives. Useful: 500 to 4000. */
  readonly batchSize: number;
  /** Steps of the whole schedule, for each member. */
  readonly steps: number;
  readonly warmupSteps: number;
  /** Peak of the cosine schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Fixed factor of the cosines in the loss: exp(2.6592), as in the paper. */
  readonly logitScale: number;
  /** Weight of the label prototypes' own loss; 0 leaves them out. Costs no retrieval, lifts zero-shot. */
  readonly prototypeWeight: number;
  /** How often two captions' features of one photo are mixed instead of taking one, 0..1. */
  readonly mixShare: number;
  /** Steps between measurements on the dev photos, each with a checkpoint. */
  readonly evaluateEvery: number;
  /** Measurements without a better one after which training ends early. */
  readonly patience: number;
}

export const DEFAULT_SETTINGS: TrainingSettings = {
  seed: 1,
  members: 2,
  hidden: 1536,
  layers: 4,
  dropout: 0.2,
  batchSize: 2000,
  steps: 200,
  warmupSteps: 50,
  learningRate: 1e-3,
  weightDecay: 1e-4,
  clipNorm: 1,
  logitScale: Math.exp(2.6592),
  prototypeWeight: 0.5,
  mixShare: 0.5,
  evaluateEvery: 25,
  patience: 5,
};

/** Learning rate of a step, from 0: linear warm-up, then a half cosine to 0. */
export function learningRateAt(step: number, settings: TrainingSettings): number {
  const { warmupSteps, steps, learningRate } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return (learningRate * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
