import type { PrismaClient } from '../../store/database.ts';
import {
  listTextModels,
  listVisionSpaces,
  type TextModelRecord,
  type VisionSpaceRecord,
} from '../../store/model-registry.ts';

/** Rows never change, and new ones come with a new bundle or a training. */
const KEPT_MS = 2000;

/** The vision spaces and text models there are: short lists that every search needs, read at most every two seconds. */
export class ModelLists {
  readonly visionSpaces: () => Promise<readonly VisionSpaceRecord[]>;
  readonly textModels: () => Promise<readonly TextModelRecord[]>;

  constructor(prisma: PrismaClient, now: () => number = () => performance.now()) {
    this.visionSpaces = keep(() => listVisionSpaces(prisma), now);
    this.textModels = keep(() => listTextModels(prisma), now);
  }
}

function keep<T>(read: () => Promise<T>, now: () => number): () => Promise<T> {
  let kept: { readonly at: number; readonly value: Promise<T> } | null = null;
  return () => {
    if (kept === null || now() - kept.at > KEPT_MS) {
      const value = read();
      kept = { at: now(), value };
      value.catch(() => (kept = null));
    }
    return kept.value;
  };
}
