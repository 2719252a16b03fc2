import type { ImageId, LabelId, VocabularyId } from './ids.ts';

/** A named set of labels. Each change of it as a whole is a version; labels keep their ids over versions. */
export interface VocabularyRecord {
  readonly id: VocabularyId;
  readonly name: string;
  readonly description: string;
  /** The newest. */
  readonly version: number;
  /** Whether labels come by being used, without prompts or versions. */
  readonly isOpen: boolean;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

export interface VocabularyVersionRecord {
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  readonly labelCount: number;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** A label as a version of its vocabulary defines it. */
export interface LabelRecord {
  readonly id: LabelId;
  readonly vocabularyId: VocabularyId;
  readonly version: number;
  /** From 0, within the version. */
  readonly position: number;
  readonly name: string;
  /** Whole texts; none: the text model's templates around the name. */
  readonly prompts: readonly string[];
  readonly negativePrompts: readonly string[];
  /** Some may be gone. */
  readonly exampleImageIds: readonly ImageId[];
  /** 0 to 1; null: the run's. */
  readonly threshold: number | null;
  readonly parentIds: readonly LabelId[];
}
