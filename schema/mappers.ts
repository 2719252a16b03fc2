/** What a resolver returns for a GraphQL type, when it isn't the type itself: a record, whose own resolvers do the rest. */
export const MAPPERS = {
  ApiKey: '../../store/api-keys.ts#ApiKeyRecord',
  Collection: '../../store/collections.ts#CollectionRecord',
  CollectionConnection: '../connections.ts#CollectionConnectionSource',
  EmbeddingInfo: '../../store/collection-summaries.ts#StoredEmbedding',
  Generation: '../../store/generations.ts#GenerationRecord',
  Image: '../../store/images.ts#ImageRecord',
  ImageConnection: '../connections.ts#ImageConnectionSource',
  Job: '../../store/jobs.ts#JobRecord',
  JobConnection: '../connections.ts#JobConnectionSource',
  JobItem: '../../store/job-items.ts#ItemRecord',
  JobItemConnection: '../connections.ts#JobItemConnectionSource',
  SearchConnection: '../search/search-service.ts#SearchResult',
  Source: '../../store/sources.ts#SourceRecord',
  TextModel: '../../store/model-registry.ts#TextModelRecord',
  Viewer: '../auth/viewer.ts#ViewerRecord',
  VisionSpace: '../../store/model-registry.ts#VisionSpaceRecord',
} as const;
