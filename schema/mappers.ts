/** What a resolver returns for a GraphQL type, when it isn't the type itself: a record, whose own resolvers do the rest. */
export const MAPPERS = {
  ApiKey: '../../store/api-keys.ts#ApiKeyRecord',
  Collection: '../../store/collections.ts#CollectionRecord',
  Generation: '../../store/generations.ts#GenerationRecord',
  Image: '../../store/images.ts#ImageRecord',
  Job: '../../store/jobs.ts#JobRecord',
  JobItem: '../../store/job-items.ts#ItemRecord',
  Source: '../../store/sources.ts#SourceRecord',
  TextModel: '../../store/model-registry.ts#TextModelRecord',
  VisionSpace: '../../store/model-registry.ts#VisionSpaceRecord',
} as const;
