import { join } from 'node:path';
import { z } from 'zod';
import {
  parseSettings,
  SHARED_SETTINGS,
  wholeNumber,
  type Environment,
} from '../platform/settings.ts';
import { ENGINE_SETTINGS, type EngineSetting } from './vector-index/engines.ts';

export interface IndexerConfig {
  readonly dataFolder: string;
  /** Null: the embedded server. */
  readonly databaseUrl: string | null;
  readonly bundleFolder: string;
  /** Further bundles, a folder each. */
  readonly bundlesFolder: string;
  /** Folders below which sources may lie; null: not set. */
  readonly mediaRoots: readonly string[] | null;
  /** Vision sessions, each with a core and its own weights; null: one a core. */
  readonly sessions: number | null;
  /** Of the snapshots it writes. */
  readonly engine: EngineSetting;
  /** Whether XMP sidecars may be written beside photos. */
  readonly writesSidecars: boolean;
}

export function parseConfig(environment: Environment): IndexerConfig {
  const settings = parseSettings(
    {
      ...SHARED_SETTINGS,
      VECTOR_ENGINE: z.enum(ENGINE_SETTINGS).default('auto'),
      INDEXER_SESSIONS: wholeNumber(1, 256).nullable().default(null),
      XMP_SIDECARS: z.enum(['on', 'off']).default('off'),
    },
    environment,
  );
  return {
    dataFolder: settings.DATA_DIR,
    databaseUrl: settings.DATABASE_URL,
    bundleFolder: settings.MODEL_BUNDLE,
    bundlesFolder: settings.BUNDLES_DIR ?? join(settings.DATA_DIR, 'bundles'),
    mediaRoots: settings.MEDIA_ROOTS,
    sessions: settings.INDEXER_SESSIONS,
    engine: settings.VECTOR_ENGINE,
    writesSidecars: settings.XMP_SIDECARS === 'on',
  };
}
