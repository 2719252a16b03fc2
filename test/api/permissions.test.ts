import { beforeAll, describe, expect, test } from '@jest/globals';
import { getOperationAST, OperationTypeNode, parse } from 'graphql';
import { PERMISSIONS, rootTypes } from '../../api/auth/permissions.ts';
import { revokeApiKey } from '../../store/api-keys.ts';
import {
  UNKNOWN_IMAGE,
  UNKNOWN_JOB,
  UNKNOWN_SOURCE,
  useApi,
  type TestApi,
} from '../support/api.ts';
import { publicSchema } from '../support/schema.ts';
import { subscribed } from '../support/subscriptions.ts';

type Who = 'none' | 'revoked' | 'READER' | 'CURATOR' | 'ADMIN' | 'SCOPED_ADMIN';
type Verdict = 'allowed' | 'FORBIDDEN' | 'UNAUTHENTICATED';

/** Who may, and a document that does no harm where it is allowed. */
interface Row {
  readonly may: readonly Who[];
  readonly document: string;
}

const READERS: readonly Who[] = ['READER', 'CURATOR', 'ADMIN', 'SCOPED_ADMIN'];
const CURATORS: readonly Who[] = ['CURATOR', 'ADMIN', 'SCOPED_ADMIN'];
const CURATORS_OF_ALL: readonly Who[] = ['CURATOR', 'ADMIN'];
const ADMINS: readonly Who[] = ['ADMIN', 'SCOPED_ADMIN'];
const ADMINS_OF_ALL: readonly Who[] = ['ADMIN'];

const ERRORS = '{ userErrors { code } }';

const TABLE: Readonly<Record<string, Row>> = {
  'Query.apiKeys': { may: ADMINS_OF_ALL, document: '{ apiKeys { id } }' },
  'Query.classifyImage': {
    may: READERS,
    document: `{ classifyImage(input: { imageId: "${UNKNOWN_IMAGE}", labels: ["a"] }) { label } }`,
  },
  'Query.classifyImages': {
    may: READERS,
    document: `{ classifyImages(input: { imageIds: ["${UNKNOWN_IMAGE}"], labels: ["a"] }) { image { id } } }`,
  },
  'Query.collection': { may: READERS, document: '{ collection(name: "nowhere") { id } }' },
  'Query.collections': { may: READERS, document: '{ collections { totalCount } }' },
  'Query.generations': { may: READERS, document: '{ generations(collection: "own") { id } }' },
  'Query.image': { may: READERS, document: `{ image(id: "${UNKNOWN_IMAGE}") { id } }` },
  'Query.images': { may: READERS, document: '{ images(collection: "own") { totalCount } }' },
  'Query.indexHealth': { may: READERS, document: '{ indexHealth(collection: "own") { engine } }' },
  'Query.job': { may: CURATORS, document: `{ job(id: "${UNKNOWN_JOB}") { id } }` },
  'Query.jobs': { may: CURATORS, document: '{ jobs { totalCount } }' },
  'Query.node': { may: READERS, document: `{ node(id: "${UNKNOWN_IMAGE}") { id } }` },
  'Query.nodes': { may: READERS, document: `{ nodes(ids: ["${UNKNOWN_IMAGE}"]) { id } }` },
  'Query.reviewQueue': {
    may: CURATORS,
    document: '{ reviewQueue(collection: "own") { totalCount } }',
  },
  'Query.search': {
    may: READERS,
    document: '{ search(input: { collection: "own", text: "a" }) { path } }',
  },
  'Query.similarImages': {
    may: READERS,
    document: `{ similarImages(imageId: "${UNKNOWN_IMAGE}") { path } }`,
  },
  'Query.previewLabel': {
    may: CURATORS,
    document: '{ previewLabel(input: { collection: "nowhere", label: { name: "a" } }) { label } }',
  },
  'Query.tagRuns': { may: READERS, document: '{ tagRuns(collection: "own") { totalCount } }' },
  'Query.tagReport': { may: READERS, document: '{ tagReport(collection: "own") { tags } }' },
  'Query.textModels': { may: READERS, document: '{ textModels { id } }' },
  'Query.viewer': { may: READERS, document: '{ viewer { role } }' },
  'Query.visionSpaces': { may: READERS, document: '{ visionSpaces { id } }' },
  'Query.vocabularies': { may: READERS, document: '{ vocabularies { totalCount } }' },
  'Query.vocabulary': { may: READERS, document: '{ vocabulary(name: "nowhere") { id } }' },
  'Mutation.addSource': {
    may: ADMINS,
    document: `mutation { addSource(input: { collection: "nowhere", folder: "/" }) ${ERRORS} }`,
  },
  'Mutation.createApiKey': {
    may: ADMINS_OF_ALL,
    document: `mutation { createApiKey(input: { role: READER, collections: ["nowhere"] }) ${ERRORS} }`,
  },
  'Mutation.createCollection': {
    may: ADMINS_OF_ALL,
    document: `mutation { createCollection(input: { name: "" }) ${ERRORS} }`,
  },
  'Mutation.deleteCollection': {
    may: ADMINS,
    document: `mutation { deleteCollection(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.deleteImages': {
    may: CURATORS,
    document: `mutation { deleteImages(input: { ids: ["${UNKNOWN_IMAGE}"] }) ${ERRORS} }`,
  },
  'Mutation.deleteVocabulary': {
    may: ADMINS_OF_ALL,
    document: `mutation { deleteVocabulary(input: { vocabulary: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.importVocabulary': {
    may: CURATORS_OF_ALL,
    document: `mutation { importVocabulary(input: { format: CSV, content: "" }) ${ERRORS} }`,
  },
  'Mutation.putVocabulary': {
    may: CURATORS_OF_ALL,
    document: `mutation { putVocabulary(input: { name: "", labels: [] }) ${ERRORS} }`,
  },
  'Mutation.reviewTags': {
    may: CURATORS,
    document: `mutation { reviewTags(input: { verdicts: [] }) ${ERRORS} }`,
  },
  'Mutation.revokeApiKey': {
    may: ADMINS_OF_ALL,
    document: `mutation { revokeApiKey(input: { id: "slk_000000000000" }) ${ERRORS} }`,
  },
  'Mutation.startIngest': {
    may: ADMINS,
    document: `mutation { startIngest(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.updateSource': {
    may: ADMINS,
    document: `mutation { updateSource(input: { id: "${UNKNOWN_SOURCE}", watch: true }) ${ERRORS} }`,
  },
  'Mutation.uploadImages': {
    may: CURATORS,
    document: `mutation { uploadImages(input: { collection: "nowhere", files: [] }) ${ERRORS} }`,
  },
  'Mutation.startReindex': {
    may: ADMINS,
    document: `mutation { startReindex(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.previewTagRun': {
    may: CURATORS,
    document: `mutation { previewTagRun(input: { collection: "nowhere", vocabulary: "a" }) ${ERRORS} }`,
  },
  'Mutation.revertTagRun': {
    may: CURATORS,
    document: `mutation { revertTagRun(input: { id: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.setTags': {
    may: CURATORS,
    document: `mutation { setTags(input: { imageIds: ["${UNKNOWN_IMAGE}"], add: ["a"] }) ${ERRORS} }`,
  },
  'Mutation.startTagRun': {
    may: CURATORS,
    document: `mutation { startTagRun(input: { collection: "nowhere", vocabulary: "a" }) ${ERRORS} }`,
  },
  'Mutation.startSnapshot': {
    may: ADMINS,
    document: `mutation { startSnapshot(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.startVerify': {
    may: ADMINS,
    document: `mutation { startVerify(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.promoteGeneration': {
    may: ADMINS,
    document: `mutation { promoteGeneration(input: { id: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.rollbackGeneration': {
    may: ADMINS,
    document: `mutation { rollbackGeneration(input: { collection: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.discardGeneration': {
    may: ADMINS,
    document: `mutation { discardGeneration(input: { id: "nowhere" }) ${ERRORS} }`,
  },
  'Mutation.cancelJob': {
    may: ADMINS,
    document: `mutation { cancelJob(input: { id: "${UNKNOWN_JOB}" }) ${ERRORS} }`,
  },
  'Mutation.pauseJob': {
    may: ADMINS,
    document: `mutation { pauseJob(input: { id: "${UNKNOWN_JOB}" }) ${ERRORS} }`,
  },
  'Mutation.resumeJob': {
    may: ADMINS,
    document: `mutation { resumeJob(input: { id: "${UNKNOWN_JOB}" }) ${ERRORS} }`,
  },
  'Mutation.retryFailedItems': {
    may: ADMINS,
    document: `mutation { retryFailedItems(input: { id: "${UNKNOWN_JOB}" }) ${ERRORS} }`,
  },
  'Subscription.jobProgress': {
    may: CURATORS,
    document: `subscription { jobProgress(id: "${UNKNOWN_JOB}") { id } }`,
  },
};

const operations = rootTypes(publicSchema()).flatMap((type) =>
  Object.keys(type.getFields()).map((field) => `${type.name}.${field}`),
);
const EVERYBODY: readonly Who[] = ['none', 'revoked', ...READERS];

let api: TestApi;
let keys: Readonly<Record<Who, string | null>>;

beforeAll(async () => {
  api = await useApi();
  await api.query('mutation { createCollection(input: { name: "own" }) { collection { id } } }');
  const revoked = await api.keyFor('ADMIN');
  await revokeApiKey(api.services.database.prisma, revoked.slice(0, 16), new Date());
  keys = {
    none: null,
    revoked,
    READER: await api.keyFor('READER'),
    CURATOR: await api.keyFor('CURATOR'),
    ADMIN: await api.keyFor('ADMIN'),
    SCOPED_ADMIN: await api.keyFor('ADMIN', ['own']),
  };
});

test('every operation of the schema has a row, and every row an operation', () => {
  expect(Object.keys(TABLE).sort()).toEqual([...operations].sort());
  expect(Object.keys(PERMISSIONS).sort()).toEqual([...operations].sort());
});

describe.each(operations)('%s', (operation) => {
  const row = TABLE[operation];

  test.each(EVERYBODY)('%s', async (who) => {
    if (row === undefined) throw new Error(`${operation} has no row.`);

    expect(await verdictOf(row.document, keys[who])).toBe(expectedFor(row, who));
  });
});

function expectedFor({ may }: Row, who: Who): Verdict {
  if (who === 'none' || who === 'revoked') return 'UNAUTHENTICATED';
  return may.includes(who) ? 'allowed' : 'FORBIDDEN';
}

async function verdictOf(document: string, key: string | null): Promise<Verdict> {
  const codes = isSubscription(document)
    ? (await subscribed(api, document, { key })).codes
    : (await api.query(document, { key })).codes;
  if (codes.includes('FORBIDDEN')) return 'FORBIDDEN';
  if (codes.includes('UNAUTHENTICATED') || codes.includes(4403)) return 'UNAUTHENTICATED';
  expect(codes.filter((code) => code !== 'NOT_FOUND')).toEqual([]);
  return 'allowed';
}

function isSubscription(document: string): boolean {
  return getOperationAST(parse(document))?.operation === OperationTypeNode.SUBSCRIPTION;
}
