import type { ImageId, LabelId, TagRunId } from './ids.ts';

/** A row of the view `image_tags`: a tag that an image has. */
export interface ImageTagRecord {
  readonly imageId: ImageId;
  readonly labelId: LabelId;
  readonly label: string;
  readonly vocabulary: string;
  readonly source: 'MANUAL' | 'RUN' | 'IMPORTED';
  readonly tagRunId: TagRunId | null;
  readonly score: number | null;
  readonly probability: number | null;
  readonly state: 'UNREVIEWED' | 'ACCEPTED';
  readonly setBy: string;
  readonly setAt: Date;
}
