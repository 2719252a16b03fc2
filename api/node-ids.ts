import { PlatformError } from '../platform/errors.ts';
import { isUuid } from '../store/ids.ts';

export const NODE_TYPES = [
  'ApiKey',
  'Collection',
  'Generation',
  'Image',
  'Job',
  'JobItem',
  'Label',
  'Source',
  'TagRun',
  'TextModel',
  'VisionSpace',
  'Vocabulary',
] as const;
export type NodeType = (typeof NODE_TYPES)[number];

export interface NodeId {
  readonly type: NodeType;
  /** A UUID, or digits. */
  readonly id: string;
}

/** Types whose rows count instead of having UUIDs. */
const NUMBERED: ReadonlySet<NodeType> = new Set(['Image', 'JobItem', 'Label']);
const MAX_NUMBER = 2n ** 63n - 1n;

/** A global id (Relay): opaque, unique over all types. */
export function encodeNodeId(type: NodeType, id: string | bigint): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Null for what is no id of ours. */
export function decodeNodeId(text: string): NodeId | null {
  const decoded = text.length > 100 ? '' : Buffer.from(text, 'base64url').toString('utf8');
  const [name = '', id = '', ...rest] = decoded.split(':');
  const type = NODE_TYPES.find((one) => one === name);
  if (type === undefined || rest.length > 0) return null;
  const isValid = NUMBERED.has(type)
    ? /^\d{1,19}$/.test(id) && BigInt(id) <= MAX_NUMBER
    : isUuid(id);
  return isValid ? { type, id } : null;
}

/** The row's id; null when it is no id of this type. */
export function idOf(type: NodeType, text: string): string | null {
  const decoded = decodeNodeId(text);
  return decoded?.type === type ? decoded.id : null;
}

/** Throws `NOT_FOUND` when it is no id of this type. */
export function requireIdOf(type: NodeType, text: string): string {
  const id = idOf(type, text);
  if (id !== null) return id;
  throw new PlatformError('NOT_FOUND', `There is no ${type} "${text.slice(0, 100)}".`);
}
