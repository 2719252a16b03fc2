import { join } from 'node:path';
import { z } from 'zod';
import {
  parseSettings,
  SHARED_SETTINGS,
  wholeNumber,
  type Environment,
} from '../platform/settings.ts';
import { ENGINE_SETTINGS, type EngineSetting } from '../indexer/vector-index/engines.ts';
import { COST_CAPACITY, COST_REFILL_PER_SECOND } from './limits/cost-limiter.ts';

export interface ApiConfig {
  readonly port: number;
  readonly host: string;
  readonly dataFolder: string;
  /** Null: the embedded server. */
  readonly databaseUrl: string | null;
  readonly bundleFolder: string;
  /** Further bundles, a folder each. */
  readonly bundlesFolder: string;
  readonly engine: EngineSetting;
  /** Folders below which sources may lie; none: GraphQL can't add any. */
  readonly mediaRoots: readonly string[];
  readonly costCapacity: number;
  readonly costPerSecond: number;
  /** Whether clients may ask for the schema, and are told names that come near. */
  readonly isIntrospectable: boolean;
  /** Whether one proxy stands before it, whose `X-Forwarded-*` headers tell how a browser came. */
  readonly trustsProxy: boolean;
  /** Where browsers find it, for sign-in links; null: where it listens. */
  readonly publicUrl: string | null;
}

const switchSetting = z.enum(['on', 'off']);

export function parseConfig(environment: Environment): ApiConfig {
  const settings = parseSettings(
    {
      ...SHARED_SETTINGS,
      PORT: wholeNumber(0, 65_535).default(4000),
      HOST: z.string().default('127.0.0.1'),
      VECTOR_ENGINE: z.enum(ENGINE_SETTINGS).default('auto'),
      COST_CAPACITY: wholeNumber(1000, 1_000_000_000).default(COST_CAPACITY),
      COST_PER_SECOND: wholeNumber(1, 1_000_000_000).default(COST_REFILL_PER_SECOND),
      NODE_ENV: z.string().default('development'),
      INTROSPECTION: switchSetting.nullable().default(null),
      TRUST_PROXY: switchSetting.default('off'),
      PUBLIC_URL: z
        .url({ protocol: /^https?$/, error: 'must look like https://photos.example.org' })
        .transform((url) => url.replace(/\/+$/, ''))
        .nullable()
        .default(null),
    },
    environment,
  );
  const { INTROSPECTION: introspection, NODE_ENV: nodeEnvironment } = settings;
  return {
    port: settings.PORT,
    host: settings.HOST,
    dataFolder: settings.DATA_DIR,
    databaseUrl: settings.DATABASE_URL,
    bundleFolder: settings.MODEL_BUNDLE,
    bundlesFolder: settings.BUNDLES_DIR ?? join(settings.DATA_DIR, 'bundles'),
    engine: settings.VECTOR_ENGINE,
    mediaRoots: settings.MEDIA_ROOTS ?? [],
    costCapacity: settings.COST_CAPACITY,
    costPerSecond: settings.COST_PER_SECOND,
    trustsProxy: settings.TRUST_PROXY === 'on',
    publicUrl: settings.PUBLIC_URL,
    isIntrospectable:
      introspection === null ? nodeEnvironment !== 'production' : introspection === 'on',
  };
}
