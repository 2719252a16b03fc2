import type {
  CompareSideQuery,
  CompareSideQueryVariables,
  DiscardGenerationMutation,
  DiscardGenerationMutationVariables,
  GenerationsQuery,
  GenerationsQueryVariables,
  PromoteGenerationMutation,
  PromoteGenerationMutationVariables,
  RollbackGenerationMutation,
  RollbackGenerationMutationVariables,
  StartReindexMutation,
  StartReindexMutationVariables,
} from '../generated/operations.ts';
import checkFacts from './check-facts.graphql?raw';
import compareSide from './compare-side.graphql?raw';
import discardGeneration from './discard-generation.graphql?raw';
import generationFacts from './generation-facts.graphql?raw';
import generationOutcome from './generation-outcome.graphql?raw';
import generations from './generations.graphql?raw';
import imageCard from './image-card.graphql?raw';
import jobFacts from './job-facts.graphql?raw';
import jobOutcome from './job-outcome.graphql?raw';
import { operation } from './operation.ts';
import promoteGeneration from './promote-generation.graphql?raw';
import rollbackGeneration from './rollback-generation.graphql?raw';
import startReindex from './start-reindex.graphql?raw';

/** The operations on generations: each is its file and the fragments it uses. */

export const GENERATIONS = operation<GenerationsQuery, GenerationsQueryVariables>(
  generations,
  generationFacts,
  checkFacts,
  jobFacts,
);
export const START_REINDEX = operation<StartReindexMutation, StartReindexMutationVariables>(
  startReindex,
  jobOutcome,
  jobFacts,
);
export const PROMOTE_GENERATION = operation<
  PromoteGenerationMutation,
  PromoteGenerationMutationVariables
>(promoteGeneration, generationOutcome);
export const ROLLBACK_GENERATION = operation<
  RollbackGenerationMutation,
  RollbackGenerationMutationVariables
>(rollbackGeneration, generationOutcome);
export const DISCARD_GENERATION = operation<
  DiscardGenerationMutation,
  DiscardGenerationMutationVariables
>(discardGeneration, generationOutcome);
export const COMPARE_SIDE = operation<CompareSideQuery, CompareSideQueryVariables>(
  compareSide,
  imageCard,
);
