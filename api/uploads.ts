/** Of one file, and of files in one request (the SDL says so too). */
export const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;
export const MAX_UPLOADS = 100;
/** Files of a request that stores none: as many as a search has terms. */
export const MAX_READER_UPLOADS = 8;
/** Of a whole request. */
export const MAX_REQUEST_BYTES = 1024 * 1024 * 1024;
/** Requests with files under way at once, over all keys; their files lie in the system's temporary folder meanwhile. */
export const MAX_PARALLEL_UPLOADS = 8;
