/** Of one file, and of files in one request (the SDL says so too). */
export const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;
export const MAX_UPLOADS = 100;
