import { reportCsv } from '../../indexer/tagging/report-csv.ts';
import type { TagReportResolvers } from '../generated/resolvers.ts';

export const TagReport: TagReportResolvers = {
  collection: ({ tagRun }, _args, { loaders }) =>
    still(loaders.collection.load(tagRun.collectionId)),
  vocabulary: ({ tagRun }, _args, { loaders }) =>
    still(loaders.vocabulary.load(tagRun.vocabularyId)),
  vocabularyVersion: ({ tagRun }) => tagRun.version,
  textModel: async ({ tagRun }, _args, { loaders }) =>
    still(
      Promise.resolve(
        (await loaders.textModels()).find(({ id }) => id === tagRun.textModelId) ?? null,
      ),
    ),
  isStale: async ({ tagRun }, _args, { loaders }) =>
    (await loaders.liveGeneration.load(tagRun.collectionId))?.textModelId !== tagRun.textModelId,
  csv: (report) => reportCsv(report),
};

async function still<T>(found: Promise<T | null>): Promise<T> {
  const record = await found;
  if (record !== null) return record;
  throw new Error('A report outlived what it is of.'); // deleted while this was answered
}
