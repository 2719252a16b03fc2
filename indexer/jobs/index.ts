import type { JobDefinition } from './define-job.ts';
import { ingest, type IngestServices } from './ingest.ts';

/** What all kinds together need. */
export type JobServices = IngestServices;

/** Every kind a worker can do; a new one is a file beside this and a line here. */
export const JOB_KINDS: readonly JobDefinition<JobServices>[] = [ingest];
