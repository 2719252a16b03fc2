/** Arguments of one field with variables and defaults filled in; absent ones are undefined. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A number, or what follows from the field's arguments. One unit is about 0.1 ms of one core's work. */
type Amount = number | ((args: Arguments) => number);

export interface Price {
  /** The field itself, without what is selected beneath it. */
  readonly own: Amount;
  /** How often what is beneath it happens, where neither `first` nor the list's assumed length says so. */
  readonly times?: Amount;
}

/** Encoding one text takes 6 ms. */
const TEXT = 60;
/** One label of a classification is filled into five templates, each a text. */
const LABEL = TEXT * 5;
/** Encoding one photo takes 9 ms, and decoding a large one some 30 ms before. */
const UPLOAD = 400;
/** Finding the nearest: 1 to 2 ms through a graph or over a small collection. */
const INDEX_SEARCH = 20;
/** Comparing with every vector: some 20 ms for a million. */
const EXACT_SEARCH = 200;
/** A row read by its key, 0.02 ms. */
const ROW = 0.2;
/** A statement to Postgres with its round trip, 0.5 ms. */
const STATEMENT = 5;
/** Counting an index's entries: 5 ms for 100,000 images. */
const COUNT = 50;
/** Comparing an image's vector with some hundred labels. */
const CLASSIFIED = 2;
/** Ordering what waits of 100,000 tags, some 100 ms; with a label's name far fewer. */
const REVIEW_QUEUE = 500;
/** Counting 500,000 tags by label and probability. */
const TAG_REPORT = 2000;
/** Comparing a label with 2,000 images of its collection, which are read for it: some 50 ms. */
const REFIT = 500;
/** Finding the images of a label: 10 ms for one of a thousand labels of 100,000 images. */
const TAGGED = 100;
/** Signing a link, 0.01 ms. */
const SIGNATURE = 0.1;
/** Storing an uploaded file: hashing and writing 10 MB. */
const STORED_FILE = 100;
/** Starting a job writes a few rows and wakes a worker; the work itself is the job's. */
const START_JOB = 100;

/** Comparing a label with every image of a collection, three times: 0.1 s for 100,000. */
const PREVIEW = 1000;
/** The same with a whole vocabulary, some seconds for 100,000 images and 1,000 labels. Its size isn't known before it begins. */
const TAG_PREVIEW = 20_000;
/** Checking a label and writing its rows, 0.1 ms. */
const PUT_LABEL = 1;
/** Characters of a file that are read in 0.1 ms, their labels checked and written. */
const IMPORTED_CHARACTERS = 500;
/** Reading a whole vocabulary and writing it down: 100 ms for some 5,000 labels. */
const EXPORT = 1000;

/** Objects that have no price of their own, and scalars. */
export const DEFAULT_OBJECT_PRICE = 1;
export const DEFAULT_SCALAR_PRICE = 0;

/** Members of a list whose length nothing tells. */
export const ASSUMED_LIST_LENGTH = 10;

/** What `first: null` means, and what it is taken for where it can't be told. */
export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** Introspection has the schema's size, whatever of it is asked. */
export const INTROSPECTION_PRICES: ReadonlyMap<string, number> = new Map([
  ['__typename', 0],
  ['__type', 20],
  ['__schema', 200],
]);

/** By schema coordinate. What isn't here costs 1 if it is an object and 0 if it is a scalar. */
export const PRICES: ReadonlyMap<string, Price> = new Map<string, Price>([
  ['Query.search', { own: priceOfSearch }],
  ['Query.similarImages', { own: (args) => INDEX_SEARCH + STATEMENT + priceOfFilter(args) }],
  ['Query.classifyImage', { own: priceOfClassification, times: numberOfLabels }],
  [
    'Query.classifyImages',
    { own: priceOfClassifications, times: ({ input }) => lengthIn(input, 'imageIds') },
  ],
  ['ImageLabels.labels', { own: 0, times: 5 }],
  ['Query.images', { own: (args) => STATEMENT + priceOfFilter(args) }],
  ['Query.image', { own: STATEMENT }],
  ['Query.node', { own: STATEMENT }],
  ['Query.nodes', { own: STATEMENT, times: ({ ids }) => lengthOf(ids) }],
  ['Query.collection', { own: STATEMENT }],
  ['Query.collections', { own: STATEMENT }],
  ['Query.job', { own: STATEMENT }],
  ['Query.jobs', { own: STATEMENT }],
  ['Query.apiKeys', { own: STATEMENT, times: 100 }],

  ['Query.tagRuns', { own: STATEMENT }],
  ['Query.reviewQueue', { own: REVIEW_QUEUE }],
  ['ReviewItemConnection.edges', { own: ROW }],
  ['ReviewItemConnection.totalCount', { own: REVIEW_QUEUE }],
  ['ReviewItemEdge.node', { own: ROW }],
  ['ReviewItem.image', { own: ROW }],
  ['ReviewItem.tagRun', { own: ROW }],
  ['Query.tagReport', { own: TAG_REPORT }],
  ['TagReport.labels', { own: 0, times: 100 }],
  ['TagReport.csv', { own: STATEMENT }],
  ['Query.previewLabel', { own: ({ input }) => PREVIEW + priceOfLabel(valueIn(input, 'label')) }],
  ['TagRunConnection.edges', { own: ROW }],
  ['TagRunEdge.node', { own: ROW }],
  ['TagRunConnection.totalCount', { own: STATEMENT }],
  ['TagRun.labels', { own: STATEMENT }],
  ['TagRun.supersededBy', { own: ROW }],
  ['TagRun.job', { own: ROW }],
  ['RunLabelConnection.edges', { own: ROW }],
  ['RunLabelEdge.node', { own: ROW }],
  ['RunLabelConnection.totalCount', { own: STATEMENT }],
  ['TagRunPreview.labels', { own: 0, times: 100 }],
  ['LabelPreview.best', { own: ROW, times: 5 }],
  ['LabelPreview.borderline', { own: ROW, times: 6 }],
  ['TagSample.image', { own: ROW }],
  ['Job.tagRun', { own: ROW }],

  ['SearchConnection.edges', { own: ROW }],
  ['SearchConnection.tookMs', { own: 0 }],
  ['SearchEdge.node', { own: ROW }],
  ['ImageConnection.edges', { own: ROW }],
  ['ImageEdge.node', { own: ROW }],
  ['CollectionConnection.edges', { own: ROW }],
  ['CollectionEdge.node', { own: ROW }],
  ['JobConnection.edges', { own: ROW }],
  ['JobEdge.node', { own: ROW }],
  ['JobItemConnection.edges', { own: ROW }],
  ['JobItemEdge.node', { own: ROW }],
  ['ImageConnection.totalCount', { own: COUNT }],
  ['CollectionConnection.totalCount', { own: STATEMENT }],
  ['JobConnection.totalCount', { own: STATEMENT }],
  ['JobItemConnection.totalCount', { own: COUNT }],

  ['Collection.imageCount', { own: COUNT }],
  ['Image.collection', { own: ROW }],
  ['Image.url', { own: SIGNATURE }],
  ['Image.thumbnailUrl', { own: SIGNATURE }],
  ['Image.tags', { own: 2 * ROW }],
  ['ImageTag.tagRun', { own: ROW }],
  ['EmbeddingInfo.values', { own: STATEMENT }],
  ['Job.failures', { own: STATEMENT }],
  ['Job.total', { own: 1 }],
  ['Job.done', { own: 1 }],
  ['Job.failed', { own: 1 }],
  ['Job.skipped', { own: 1 }],
  ['Job.itemsPerSecond', { own: STATEMENT }],
  ['Job.etaSeconds', { own: STATEMENT }],
  ['Job.generation', { own: ROW }],
  ['JobItem.image', { own: ROW }],
  ['Generation.job', { own: STATEMENT }],
  ['Generation.images', { own: COUNT }],

  [
    'Mutation.uploadImages',
    { own: ({ input }) => START_JOB + STORED_FILE * lengthIn(input, 'files') },
  ],
  ['Mutation.deleteImages', { own: ({ input }) => STATEMENT + lengthIn(input, 'ids') }],
  ['Mutation.setTags', { own: priceOfTags }],
  ['Mutation.reviewTags', { own: ({ input }) => REFIT + lengthIn(input, 'verdicts') }],
  ['ReviewTagsPayload.undo', { own: 0, times: 100 }],
  ['ReviewTagsPayload.calibrations', { own: 0, times: 20 }],
  ['SetTagsPayload.images', { own: 0, times: 100 }],
  ['SetTagsPayload.undo', { own: 0, times: 100 }],
  ['Mutation.startIngest', { own: START_JOB }],
  ['Mutation.startReindex', { own: ({ input }) => START_JOB + lengthIn(input, 'imageIds') }],
  ['Mutation.startSnapshot', { own: START_JOB }],
  ['Mutation.startVerify', { own: START_JOB }],
  ['Mutation.startTagRun', { own: START_JOB }],
  ['Mutation.revertTagRun', { own: START_JOB }],
  ['Mutation.previewTagRun', { own: TAG_PREVIEW }],
  ['Mutation.promoteGeneration', { own: START_JOB }],
  ['Mutation.rollbackGeneration', { own: START_JOB }],
  ['Mutation.discardGeneration', { own: STATEMENT }],
  ['Mutation.pauseJob', { own: STATEMENT }],
  ['Mutation.resumeJob', { own: STATEMENT }],
  ['Mutation.cancelJob', { own: START_JOB }],
  ['Mutation.retryFailedItems', { own: START_JOB }],
  ['Mutation.createCollection', { own: STATEMENT }],
  ['Mutation.deleteCollection', { own: START_JOB }],
  ['Mutation.addSource', { own: STATEMENT }],
  ['Mutation.updateSource', { own: STATEMENT }],
  ['Mutation.createApiKey', { own: STATEMENT }],
  ['Mutation.revokeApiKey', { own: STATEMENT }],
  ['Query.vocabulary', { own: STATEMENT }],
  ['Query.vocabularies', { own: STATEMENT }],
  ['Vocabulary.labelCount', { own: ROW }],
  ['Vocabulary.labels', { own: STATEMENT }],
  ['Vocabulary.versions', { own: STATEMENT }],
  ['Vocabulary.export', { own: EXPORT }],
  ['VocabularyConnection.edges', { own: ROW }],
  ['VocabularyConnection.totalCount', { own: STATEMENT }],
  ['VocabularyEdge.node', { own: ROW }],
  ['LabelConnection.edges', { own: ROW }],
  ['LabelConnection.totalCount', { own: COUNT }],
  ['LabelEdge.node', { own: ROW }],
  ['Label.vocabulary', { own: ROW }],
  ['Label.examples', { own: ROW }],
  ['Label.parents', { own: ROW, times: 3 }],
  [
    'Mutation.putVocabulary',
    { own: ({ input }) => START_JOB + PUT_LABEL * lengthIn(input, 'labels') },
  ],
  ['Mutation.importVocabulary', { own: priceOfImport }],
  ['Mutation.deleteVocabulary', { own: START_JOB }],
  // Asked once and answered twice a second while the job lasts.
  ['Subscription.jobProgress', { own: START_JOB }],
]);

function priceOfSearch({ input }: Arguments): number {
  const terms = valueIn(input, 'terms');
  const ranking = valueIn(input, 'exact') === true ? EXACT_SEARCH : INDEX_SEARCH;
  const text = valueIn(input, 'text') == null ? 0 : TEXT;
  const rest = Array.isArray(terms) ? terms.map(priceOfTerm) : [];
  const found = STATEMENT + ranking + priceOfFilter({ filter: valueIn(input, 'filter') });
  return found + rest.reduce((sum, price) => sum + price, text);
}

/** A filter looks at every row of its collection, and gathers the images of every label it names. */
function priceOfFilter({ filter }: Arguments): number {
  return filter == null ? 0 : COUNT + TAGGED * labelsIn(filter);
}

function labelsIn(filter: unknown): number {
  const tags = valueIn(filter, 'tags');
  const own = ['anyOf', 'allOf', 'noneOf'].map((field) => lengthIn(tags, field));
  const parts = ['and', 'or', 'not'].flatMap((field) => valueIn(filter, field) ?? []);
  return [...own, ...parts.map(labelsIn)].reduce((sum, count) => sum + count, 0);
}

function priceOfTerm(term: unknown): number {
  if (valueIn(term, 'imageId') != null) return ROW;
  return valueIn(term, 'text') != null ? TEXT : UPLOAD;
}

function priceOfClassification(args: Arguments): number {
  const photo = valueIn(args['input'], 'upload') == null ? STATEMENT : UPLOAD;
  return photo + LABEL * numberOfLabels(args);
}

/** A vocabulary's vectors are kept; those of its labels that are read for the first time are the server's. */
function priceOfClassifications({ input }: Arguments): number {
  const images = lengthIn(input, 'imageIds');
  const labels =
    valueIn(input, 'labels') == null ? INDEX_SEARCH : LABEL * lengthIn(input, 'labels');
  return STATEMENT + labels + images * CLASSIFIED;
}

function priceOfTags({ input }: Arguments): number {
  const labels = lengthIn(input, 'add') + lengthIn(input, 'remove');
  return STATEMENT + lengthIn(input, 'imageIds') * (1 + labels * ROW);
}

/** Its texts are encoded, five templates where it has none. */
function priceOfLabel(label: unknown): number {
  const texts = lengthIn(label, 'prompts') + lengthIn(label, 'negativePrompts');
  return LABEL + TEXT * texts + ROW * lengthIn(label, 'examples');
}

function priceOfImport({ input }: Arguments): number {
  const content = valueIn(input, 'content');
  const characters = typeof content === 'string' ? content.length : 0;
  return START_JOB + Math.ceil(characters / IMPORTED_CHARACTERS);
}

function numberOfLabels({ input }: Arguments): number {
  return lengthIn(input, 'labels');
}

function lengthIn(input: unknown, field: string): number {
  return lengthOf(valueIn(input, field));
}

/** GraphQL takes a single value for a list of one. */
function lengthOf(value: unknown): number {
  if (value == null) return 0;
  return Array.isArray(value) ? value.length : 1;
}

function valueIn(input: unknown, field: string): unknown {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, field)
    ? (input as Readonly<Record<string, unknown>>)[field]
    : undefined;
}
