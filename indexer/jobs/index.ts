import type { JobDefinition } from './define-job.ts';
import { ingest, type IngestServices } from './ingest.ts';
import { revertTags, type RevertServices } from './revert-tags.ts';
import { reindex, type ReindexServices } from './reindex.ts';
import { snapshot, type SnapshotServices } from './snapshot.ts';
import { tag, type TagServices } from './tag.ts';
import { verify } from './verify.ts';
import type { VerifyServices } from '../verify/verify.ts';

/** What all kinds together need. */
export type JobServices = IngestServices &
  ReindexServices &
  VerifyServices &
  SnapshotServices &
  TagServices &
  RevertServices;

/** Every kind a worker can do; a new one is a file beside this and a line here. */
export const JOB_KINDS: readonly JobDefinition<JobServices>[] = [
  ...[ingest, reindex, verify, snapshot, tag, revertTags],
];
