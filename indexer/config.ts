import {
  parseSettings,
  SHARED_SETTINGS,
  wholeNumber,
  type Environment,
} from '../platform/settings.ts';

export interface IndexerConfig {
  readonly dataFolder: string;
  /** Null: the embedded server. */
  readonly databaseUrl: string | null;
  readonly bundleFolder: string;
  /** Folders below which sources may lie; null: not set. */
  readonly mediaRoots: readonly string[] | null;
  /** Vision sessions, each with a core and its own weights; null: one a core. */
  readonly sessions: number | null;
}

export function parseConfig(environment: Environment): IndexerConfig {
  const settings = parseSettings(
    { ...SHARED_SETTINGS, INDEXER_SESSIONS: wholeNumber(1, 256).nullable().default(null) },
    environment,
  );
  return {
    dataFolder: settings.DATA_DIR,
    databaseUrl: settings.DATABASE_URL,
    bundleFolder: settings.MODEL_BUNDLE,
    mediaRoots: settings.MEDIA_ROOTS,
    sessions: settings.INDEXER_SESSIONS,
  };
}
