import { storableJson } from './storable-json.ts';
import type { Queryable } from './transaction.ts';

export interface NewAuditEntry {
  /** Prefix of the API key, or "command line". */
  readonly actor: string;
  /** The mutation's or command's name. */
  readonly action: string;
  /** What was changed: an id or a name. */
  readonly subject: string | null;
  /** Never secrets. */
  readonly detail: Readonly<Record<string, unknown>>;
  readonly now: Date;
}

/** Writes who changed what, best in the transaction of the change. */
export async function recordAudit(db: Queryable, entry: NewAuditEntry): Promise<void> {
  const { actor, action, subject, detail, now } = entry;
  await db.query(
    'INSERT INTO audit_entries (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)',
    [now, actor, action, subject, storableJson(detail)],
  );
}

export interface AuditRecord {
  readonly id: bigint;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: unknown;
}

/** Newest first, before the given entry. */
export async function listAudit(
  db: Queryable,
  { before, limit }: { before: bigint | null; limit: number },
): Promise<readonly AuditRecord[]> {
  const { rows } = await db.query<Omit<AuditRecord, 'id'> & { id: string }>(
    `SELECT id, at, actor, action, subject, detail FROM audit_entries
     WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [before, limit],
  );
  return rows.map((row) => ({ ...row, id: BigInt(row.id) }));
}
