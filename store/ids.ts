declare const idBrand: unique symbol;

type Id<Name extends string> = string & { readonly [idBrand]: Name };

/** UUIDs that look alike and must not be mixed up. */
export type CollectionId = Id<'collection'>;
export type SourceId = Id<'source'>;
export type VisionSpaceId = Id<'vision space'>;
export type TextModelId = Id<'text model'>;
export type GenerationId = Id<'generation'>;
export type JobId = Id<'job'>;
export type ApiKeyId = Id<'api key'>;
export type VocabularyId = Id<'vocabulary'>;
export type TagRunId = Id<'tag run'>;

/** For ids out of our own rows, and checked ones of a caller's. */
export const asCollectionId = (id: string): CollectionId => id as CollectionId;
export const asSourceId = (id: string): SourceId => id as SourceId;
export const asVisionSpaceId = (id: string): VisionSpaceId => id as VisionSpaceId;
export const asTextModelId = (id: string): TextModelId => id as TextModelId;
export const asGenerationId = (id: string): GenerationId => id as GenerationId;
export const asJobId = (id: string): JobId => id as JobId;
export const asApiKeyId = (id: string): ApiKeyId => id as ApiKeyId;
export const asVocabularyId = (id: string): VocabularyId => id as VocabularyId;
export const asTagRunId = (id: string): TagRunId => id as TagRunId;

declare const imageIdBrand: unique symbol;

/** From 1, never used twice. Also the image's label in every vector index. */
export type ImageId = bigint & { readonly [imageIdBrand]: true };

export const asImageId = (id: bigint | string): ImageId => BigInt(id) as ImageId;

declare const labelIdBrand: unique symbol;

/** From 1, never used twice: a label over all versions of its vocabulary. */
export type LabelId = number & { readonly [labelIdBrand]: true };

export const asLabelId = (id: number): LabelId => id as LabelId;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether the database would take it; it refuses other text with an error instead of finding nothing. */
export function isUuid(id: string): boolean {
  return UUID.test(id);
}
