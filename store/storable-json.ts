/**
 * The value as JSON that Postgres takes: its text holds no NUL and no half of a surrogate pair, which cameras and file
 * systems write.
 */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? Buffer.from(inner.replaceAll('\0', ''), 'utf8').toString() : inner,
  );
}
