import type { ImageId, LabelId, TagRunId } from './ids.ts';

/** A pair of image and label that nobody has said anything about. */
export interface ReviewItemRecord {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly label: string;
  readonly vocabulary: string;
  readonly tagRunId: TagRunId;
  readonly score: number;
  readonly probability: number;
  readonly threshold: number;
  /** False: below the threshold, drawn to see what a run missed. */
  readonly isTagged: boolean;
  readonly isSampled: boolean;
}
