import type { NamedVerdict } from '../indexer/tagging/named-verdicts.ts';
import type { TagVerdict, Verdict } from './generated/resolvers.ts';
import { encodeNodeId } from './node-ids.ts';

const NAMES = { ACCEPTED: 'ACCEPT', REJECTED: 'REJECT' } as const;

/** As the API says it. */
export function toTagVerdict({ imageId, verdict, ...rest }: NamedVerdict): TagVerdict {
  return {
    ...{ ...rest, imageId: encodeNodeId('Image', imageId) },
    verdict: verdict === null ? 'CLEAR' : NAMES[verdict],
  };
}

const VERDICTS = { ACCEPT: 'ACCEPTED', REJECT: 'REJECTED', CLEAR: null } as const;

/** As it is stored; null forgets what was said. */
export function storedVerdict(verdict: Verdict): NamedVerdict['verdict'] {
  return VERDICTS[verdict];
}
