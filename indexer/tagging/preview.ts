import type { ImageId } from '../../store/ids.ts';

/** An image that a preview shows for a label. */
export interface TagSampleRecord {
  readonly imageId: ImageId;
  /** Cosine. */
  readonly score: number;
  readonly probability: number;
  readonly isTagged: boolean;
}
