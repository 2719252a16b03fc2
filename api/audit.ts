import { recordAudit, type NewAuditEntry } from '../store/audit.ts';
import type { Context } from './context.ts';

/** Writes who changed what. */
export function audit(
  { services, viewer }: Context,
  {
    action,
    subject,
    detail = {},
  }: Pick<NewAuditEntry, 'action' | 'subject'> & Partial<Pick<NewAuditEntry, 'detail'>>,
): Promise<void> {
  const now = services.now();
  return recordAudit(services.database.pool, {
    actor: viewer.prefix,
    action,
    subject,
    detail,
    now,
  });
}
