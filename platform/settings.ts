import { delimiter, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PlatformError } from './errors.ts';

/** As `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_BUNDLE = fileURLToPath(new URL('../models/bundles/default', import.meta.url));

/** Beside the program, so that the same data is found from whatever folder a command is started in. */
const DEFAULT_DATA = fileURLToPath(new URL('../data', import.meta.url));

const path = z.string().transform((text) => resolve(text));

/** Settings that several processes read. Relative paths count from the folder a process was started in. */
export const SHARED_SETTINGS = {
  /** Everything that isn't in Postgres, and the embedded Postgres itself. */
  DATA_DIR: path.default(DEFAULT_DATA),
  /** Null: the embedded server of DATA_DIR. */
  DATABASE_URL: z.string().nullable().default(null),
  MODEL_BUNDLE: path.default(DEFAULT_BUNDLE),
  /** Further bundles, a folder each; null: `bundles` in DATA_DIR. */
  BUNDLES_DIR: path.nullable().default(null),
  /** Folders below which sources may lie, separated as in PATH; null: not set. */
  MEDIA_ROOTS: z
    .string()
    .transform((text) =>
      text
        .split(delimiter)
        .filter((root) => root !== '')
        .map((root) => resolve(root)),
    )
    .nullable()
    .default(null),
};

/** A whole number, as text. */
export function wholeNumber(from: number, to: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${from} to ${to}`)
    .transform(Number)
    .refine((value) => value >= from && value <= to, `must be from ${from} to ${to}`);
}

/** Reads settings; an empty one counts as not set. Throws `INVALID_CONFIG` with every fault at once. */
export function parseSettings<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Environment,
): z.output<z.ZodObject<Shape>> {
  const given = Object.entries(environment).filter(
    ([name, value]) => name in shape && value !== undefined && value !== '',
  );
  const parsed = z.object(shape).safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new PlatformError('INVALID_CONFIG', `Settings can't be used: ${faults.join('; ')}.`);
}

const LOG_LEVEL = {
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).nullable().default(null),
};

/** LOG_LEVEL, or what the process writes by itself. Read before all else, so that faults of other settings can be told. */
export function logLevelOf(
  environment: Environment,
  usual: 'info' | 'warn',
): 'debug' | 'info' | 'warn' | 'error' | 'silent' {
  return parseSettings(LOG_LEVEL, environment).LOG_LEVEL ?? usual;
}
