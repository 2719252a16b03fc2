import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';
import GraphQLUpload from 'graphql-upload/GraphQLUpload.mjs';

/** ISO 8601 with date, time and offset; a date alone is midnight UTC. */
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function parseDate(value: unknown): Date {
  const date = typeof value === 'string' && ISO.test(value) ? new Date(value) : null;
  if (date !== null && !Number.isNaN(date.getTime())) return date;
  throw badValue('A DateTime is written like "2026-01-31T12:00:00Z".');
}

const dateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    throw new Error('A DateTime must be a Date.');
  },
  parseValue: parseDate,
  parseLiteral: (node) => parseDate(node.kind === Kind.STRING ? node.value : null),
});

function parseWhole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw badValue('A BigInt is a whole number of at most 2^53.');
}

const bigInt = new GraphQLScalarType<number, number>({
  name: 'BigInt',
  serialize: parseWhole,
  parseValue: parseWhole,
  parseLiteral: (node) => parseWhole(node.kind === Kind.INT ? Number(node.value) : null),
});

const json = new GraphQLScalarType({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

function badValue(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

export const scalars = { DateTime: dateTime, BigInt: bigInt, JSON: json, Upload: GraphQLUpload };
