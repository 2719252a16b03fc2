import type {
  CancelJobMutation,
  CancelJobMutationVariables,
  FollowJobSubscription,
  FollowJobSubscriptionVariables,
  JobDetailQuery,
  JobDetailQueryVariables,
  JobFailuresQuery,
  JobFailuresQueryVariables,
  JobStateQuery,
  JobStateQueryVariables,
  JobsQuery,
  JobsQueryVariables,
  NewestJobQuery,
  NewestJobQueryVariables,
  PauseJobMutation,
  PauseJobMutationVariables,
  ResumeJobMutation,
  ResumeJobMutationVariables,
  RetryFailedItemsMutation,
  RetryFailedItemsMutationVariables,
} from '../generated/operations.ts';
import cancelJob from './cancel-job.graphql?raw';
import checkFacts from './check-facts.graphql?raw';
import followJob from './follow-job.graphql?raw';
import jobDetail from './job-detail.graphql?raw';
import jobFacts from './job-facts.graphql?raw';
import jobFailures from './job-failures.graphql?raw';
import jobOutcome from './job-outcome.graphql?raw';
import jobState from './job-state.graphql?raw';
import jobs from './jobs.graphql?raw';
import newestJob from './newest-job.graphql?raw';
import { operation } from './operation.ts';
import pauseJob from './pause-job.graphql?raw';
import resumeJob from './resume-job.graphql?raw';
import retryFailedItems from './retry-failed-items.graphql?raw';

/** The operations on jobs: each is its file and the fragments it uses. */

export const JOBS = operation<JobsQuery, JobsQueryVariables>(jobs, jobFacts);
export const NEWEST_JOB = operation<NewestJobQuery, NewestJobQueryVariables>(newestJob);
export const JOB_STATE = operation<JobStateQuery, JobStateQueryVariables>(jobState, jobFacts);
export const JOB_DETAIL = operation<JobDetailQuery, JobDetailQueryVariables>(
  jobDetail,
  jobFacts,
  checkFacts,
);
export const JOB_FAILURES = operation<JobFailuresQuery, JobFailuresQueryVariables>(jobFailures);
export const FOLLOW_JOB = operation<FollowJobSubscription, FollowJobSubscriptionVariables>(
  followJob,
  jobFacts,
);
export const PAUSE_JOB = operation<PauseJobMutation, PauseJobMutationVariables>(
  pauseJob,
  jobOutcome,
  jobFacts,
);
export const RESUME_JOB = operation<ResumeJobMutation, ResumeJobMutationVariables>(
  resumeJob,
  jobOutcome,
  jobFacts,
);
export const CANCEL_JOB = operation<CancelJobMutation, CancelJobMutationVariables>(
  cancelJob,
  jobOutcome,
  jobFacts,
);
export const RETRY_FAILED_ITEMS = operation<
  RetryFailedItemsMutation,
  RetryFailedItemsMutationVariables
>(retryFailedItems, jobOutcome, jobFacts);
