import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { useApi, valuesAt, type TestApi, type UploadedFile } from '../support/api.ts';
import { SAMPLE_PHOTOS } from '../support/bundles.ts';

let api: TestApi;
let photo: UploadedFile;

beforeAll(async () => {
  api = await useApi();
  await api.indexedCollection('photos', ['koala', 'coffee']);
  photo = { name: 'koala.jpg', bytes: await readFile(join(SAMPLE_PHOTOS, 'koala.jpg')) };
});

const UPLOAD = `mutation ($files: [Upload!]!) {
  uploadImages(input: { collection: "photos", files: $files }) { job { id } userErrors { code } }
}`;

function filesOf(count: number): Record<string, UploadedFile> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`variables.files.${i}`, photo] as const),
  );
}

test('a READER may send as many files as a search has terms, and no more', async () => {
  const key = await api.keyFor('READER');
  const terms = (count: number) =>
    Array.from({ length: count }, () => ({ upload: { upload: null } }));
  const search = (count: number) =>
    api.query(
      `query ($terms: [SearchTerm!]!) {
        search(input: { collection: "photos", terms: $terms }, first: 1) { edges { node { path } } }
      }`,
      {
        key,
        variables: { terms: terms(count) },
        files: Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`variables.terms.${i}.upload.upload`, photo]),
        ),
      },
    );

  const [few, many] = [await search(8), await search(9)];

  expect(valuesAt(few, 'search.edges.node.path')).toEqual(['src/koala.jpg']);
  expect(many.status).toBe(413);
});

test('a CURATOR may send more', async () => {
  const answer = await api.query(UPLOAD, {
    key: await api.keyFor('CURATOR'),
    variables: { files: Array.from({ length: 9 }, () => null) },
    files: filesOf(9),
  });

  expect(valuesAt(answer, 'uploadImages.userErrors')).toEqual([]);
});

test('an upload of unknown length is refused before it is read', async () => {
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${api.adminKey}`,
      'content-type': 'multipart/form-data; boundary=x',
      'apollo-require-preflight': 'true',
    },
    body: new ReadableStream({
      start: (controller) => {
        controller.enqueue(Buffer.from('--x\r\n'));
        controller.close();
      },
    }),
    duplex: 'half',
  });

  expect(response.status).toBe(413);
});
