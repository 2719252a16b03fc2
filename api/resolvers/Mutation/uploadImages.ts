import type { Readable } from 'node:stream';
import type { FileUpload } from 'graphql-upload/processRequest.mjs';
import { PlatformError } from '../../../platform/errors.ts';
import type { SavedUpload, UploadStore } from '../../../indexer/ingest/uploads.ts';
import { startUpload } from '../../../indexer/jobs/ingest.ts';
import { hexOf } from '../../../store/embeddings.ts';
import { getVisibleCollection } from '../../auth/visible.ts';
import { audit } from '../../audit.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { checkIdempotencyKey } from '../../idempotency-key.ts';
import { uploadBroken } from '../../search/uploaded-images.ts';
import { MAX_UPLOAD_BYTES, MAX_UPLOADS } from '../../uploads.ts';
import { inField, payload } from '../user-errors.ts';

/** Files are on the disk before the job is made, and the job before it is answered. */
export const uploadImages: NonNullable<MutationResolvers['uploadImages']> = (
  _parent,
  { input },
  context,
) =>
  payload({ job: null }, async () => {
    const { database, uploads, now } = context.services;
    const collection = await inField('collection', getVisibleCollection(context, input.collection));
    const idempotencyKey = await inField('idempotencyKey', () =>
      checkIdempotencyKey(input.idempotencyKey),
    );
    const files = await inField('files', saveAll(uploads, input.files));
    const job = await startUpload(database, {
      ...{ collectionId: collection.id, files, createdBy: context.viewer.prefix, now: now() },
      idempotencyKey,
    });
    await audit(context, {
      ...{ action: 'uploadImages', subject: collection.name },
      detail: { job: job.id, files: files.length },
    });
    return { job };
  });

interface SavedFile {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** One after the other: they come over one connection. */
async function saveAll(
  store: UploadStore,
  files: readonly Promise<FileUpload>[],
): Promise<SavedFile[]> {
  if (files.length < 1 || files.length > MAX_UPLOADS) {
    throw new PlatformError('BAD_USER_INPUT', `"files" takes 1 to ${MAX_UPLOADS}.`);
  }
  const saved: SavedFile[] = [];
  for (const file of files) {
    const { filename, createReadStream } = await file;
    const { sha256, bytes } = await save(store, createReadStream());
    saved.push({ name: filename, sha256: hexOf(sha256), bytes });
  }
  return saved;
}

async function save(store: UploadStore, stream: Readable): Promise<SavedUpload> {
  try {
    return await store.save(stream, { maxBytes: MAX_UPLOAD_BYTES });
  } catch (error) {
    throw error instanceof PlatformError ? error : uploadBroken(error);
  }
}
