import { z } from 'zod';
import { FORMATS } from '../../indexer/tagging/vocabulary-formats/formats.ts';
import { checkedVersion, readWritten } from '../../indexer/tagging/written-vocabulary.ts';
import { PlatformError } from '../../platform/errors.ts';
import { listVersions, type VocabularyRecord } from '../../store/vocabularies.ts';
import { countLabels, listLabels } from '../../store/vocabulary-labels.ts';
import { hasRole } from '../auth/viewer.ts';
import { paginate } from '../connections.ts';
import { decodeCursor } from '../cursors.ts';
import type { VocabularyResolvers, VocabularyVersionResolvers } from '../generated/resolvers.ts';
import { visibleImages } from '../image-names.ts';
import { encodeNodeId } from '../node-ids.ts';

const MAX_LABELS = 1000;
/** Version and position: the pages of a list are all of one version. */
const LABEL_KEY = z.string().regex(/^\d{1,9}:\d{1,10}$/);

export const Vocabulary: VocabularyResolvers = {
  id: ({ id }) => encodeNodeId('Vocabulary', id),
  labelCount: async ({ id }, _args, { loaders }) =>
    (await loaders.newestVersion.load(id))?.labelCount ?? 0,
  labels: (vocabulary, { version, search: asked, ...page }, { services, viewer }) => {
    const { pool } = services.database;
    const kind = `labels ${vocabulary.id}`;
    const begun =
      typeof page.after === 'string' ? partsOf(decodeCursor(kind, page.after, LABEL_KEY)) : null;
    const key = {
      vocabularyId: vocabulary.id,
      version: checkedVersion(vocabulary, version ?? begun?.version ?? null),
    };
    // Keywords come from all collections' images; other labels were written for everybody.
    const usedIn = vocabulary.isOpen ? viewer.collections : null;
    const search = asked ?? null;
    return paginate(page, {
      ...{ kind, key: LABEL_KEY, most: MAX_LABELS },
      keyOf: (label) => `${label.version}:${label.position}`,
      read: ({ limit }) =>
        listLabels(pool, key, { after: begun?.position ?? null, limit, search, usedIn }),
      count: () => countLabels(pool, key, { search, usedIn }),
    });
  },
  versions: async ({ id }, _args, { services }) => [
    ...(await listVersions(services.database.pool, id)),
  ],
  export: async (vocabulary: VocabularyRecord, { format, version }, context) => {
    const { pool } = context.services.database;
    if (vocabulary.isOpen && context.viewer.collections !== null) {
      const message = 'Keywords of all collections need a key for all; "labels" lists yours.';
      throw new PlatformError('FORBIDDEN', message);
    }
    const checked = checkedVersion(vocabulary, version ?? null);
    return FORMATS[format].write(
      await readWritten(pool, vocabulary, checked, visibleImages(context)),
    );
  },
};

export const VocabularyVersion: VocabularyVersionResolvers = {
  createdBy: ({ createdBy }, _args, { viewer }) => (hasRole(viewer, 'ADMIN') ? createdBy : null),
};

function partsOf(key: string): { readonly version: number; readonly position: number } {
  const [version = 0, position = 0] = key.split(':').map(Number);
  return { version, position };
}
