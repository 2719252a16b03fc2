import { updateSource as update } from '../../../store/sources.ts';
import { audit } from '../../audit.ts';
import { getVisibleSource } from '../../auth/visible.ts';
import type { MutationResolvers } from '../../generated/resolvers.ts';
import { scheduleOf } from '../source-schedule.ts';
import { inField, payload } from '../user-errors.ts';

export const updateSource: NonNullable<MutationResolvers['updateSource']> = (
  _parent,
  { input },
  context,
) =>
  payload({ source: null }, async () => {
    const { prisma } = context.services.database;
    const { id } = await inField('id', getVisibleSource(context, input.id));
    const schedule = await scheduleOf(input);
    const source = await inField('id', update(prisma, id, schedule));
    const detail = { name: source.name, ...schedule };
    await audit(context, { action: 'updateSource', subject: source.id, detail });
    return { source };
  });
