import type { ImageFormat } from './generated/prisma/client.ts';
import { toImageRecord, IMAGE_COLUMNS, type ImageRecord, type ImageRow } from './images.ts';
import type { CollectionId, ImageId } from './ids.ts';
import { storableJson } from './storable-json.ts';
import { tagConditions, type TagFilter } from './tag-filter.ts';
import type { Queryable } from './transaction.ts';

/** Which images: every given field must hold. Checked by the caller: how deep and how wide it is. */
export interface ImageFilter {
  readonly and?: readonly ImageFilter[] | null | undefined;
  readonly or?: readonly ImageFilter[] | null | undefined;
  readonly not?: ImageFilter | null | undefined;
  readonly path?: StringFilter | null | undefined;
  /** A source's name. */
  readonly source?: string | null | undefined;
  readonly metadata?: readonly MetadataFilter[] | null | undefined;
  readonly takenAt?: DateRange | null | undefined;
  readonly addedAt?: DateRange | null | undefined;
  readonly width?: NumberRange | null | undefined;
  readonly height?: NumberRange | null | undefined;
  readonly format?: readonly ImageFormat[] | null | undefined;
  readonly tags?: TagFilter | null | undefined;
}

export interface StringFilter {
  readonly equals?: string | null | undefined;
  readonly in?: readonly string[] | null | undefined;
  readonly startsWith?: string | null | undefined;
  readonly contains?: string | null | undefined;
}

export interface MetadataFilter {
  readonly path: readonly string[];
  /** Undefined: any; null is JSON's null. */
  readonly equals?: unknown;
  readonly exists?: boolean | null | undefined;
}

/** From `from` on, before `before`. */
export interface DateRange {
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** Both ends belong to it. */
export interface NumberRange {
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
}

export interface ImageQuery {
  readonly collectionId: CollectionId;
  readonly filter: ImageFilter;
}

/** In the order they were added. */
export async function queryImages(
  db: Queryable,
  { collectionId, filter }: ImageQuery,
  { after, limit }: { after: ImageId | null; limit: number },
): Promise<readonly ImageRecord[]> {
  const sql = new Conditions([collectionId, after ?? 0n, limit]);
  const where = sql.of(filter);
  const { rows } = await db.query<ImageRow>(
    `SELECT ${IMAGE_COLUMNS} FROM images
     WHERE collection_id = $1 AND id > $2 AND ${where} ORDER BY id LIMIT $3`,
    [...sql.parameters],
  );
  return rows.map(toImageRecord);
}

export async function countQueried(
  db: Queryable,
  { collectionId, filter }: ImageQuery,
): Promise<number> {
  const sql = new Conditions([collectionId]);
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM images WHERE collection_id = $1 AND ${sql.of(filter)}`,
    [...sql.parameters],
  );
  return Number(rows[0]?.count ?? 0);
}

/** Ids of all that match, for an index to search among. 8 bytes each. */
export async function queryImageIds(
  db: Queryable,
  { collectionId, filter }: ImageQuery,
): Promise<BigUint64Array> {
  const sql = new Conditions([collectionId]);
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM images WHERE collection_id = $1 AND ${sql.of(filter)}`,
    [...sql.parameters],
  );
  return BigUint64Array.from(rows, ({ id }) => BigInt(id));
}

/** Whether a filter lets everything through. */
export function isEmptyFilter({ and, metadata, tags, ...others }: ImageFilter): boolean {
  const isNothing = (value: unknown): boolean => value === null || value === undefined;
  return (
    Object.values(others).every(isNothing) &&
    (and ?? []).every(isEmptyFilter) &&
    (metadata ?? []).length === 0 &&
    Object.values(tags ?? {}).every(isNothing)
  );
}

export interface FilterSql {
  /** A condition over `images`, whose collection is `$1`. */
  readonly where: string;
  /** The given ones and the filter's own. */
  readonly parameters: readonly unknown[];
}

/** A filter for a statement of another file. */
export function filterSql(filter: ImageFilter, parameters: readonly unknown[]): FilterSql {
  const sql = new Conditions(parameters);
  return { where: sql.of(filter), parameters: sql.parameters };
}

/** SQL over `images`; values travel as parameters only. */
class Conditions {
  readonly parameters: unknown[];

  constructor(parameters: readonly unknown[]) {
    this.parameters = [...parameters];
  }

  of(filter: ImageFilter, isNested = false): string {
    const { and, or, not, path, source, metadata, takenAt, addedAt } = filter;
    const { width, height, format, tags } = filter;
    const all = [
      ...(and ?? []).map((one) => this.of(one, isNested)),
      ...(or ? [anyOf(or.map((one) => this.of(one, true)))] : []),
      ...(not ? [`(${this.of(not, true)}) IS NOT TRUE`] : []),
      ...(path ? this.#strings('path', path) : []),
      ...(typeof source === 'string' ? [this.#source(source)] : []),
      ...(metadata ?? []).flatMap((one) => this.#metadata(one)),
      ...(takenAt ? this.#range('taken_at', takenAt.from, takenAt.before, '<') : []),
      ...(addedAt ? this.#range('added_at', addedAt.from, addedAt.before, '<') : []),
      ...(width ? this.#range('width', width.min, width.max, '<=') : []),
      ...(height ? this.#range('height', height.min, height.max, '<=') : []),
      ...(format ? [`format = ANY(${this.#add(format)}::image_format[])`] : []),
      ...(tags ? tagConditions(tags, { add: (value) => this.#add(value), isNested }) : []),
    ];
    return all.length === 0 ? 'TRUE' : `(${all.join(' AND ')})`;
  }

  #strings(column: string, { equals, in: among, startsWith, contains }: StringFilter): string[] {
    return [
      ...(typeof equals === 'string' ? [`${column} = ${this.#add(equals)}`] : []),
      ...(among ? [`${column} = ANY(${this.#add(among)}::text[])`] : []),
      ...(typeof startsWith === 'string'
        ? [`starts_with(${column}, ${this.#add(startsWith)})`]
        : []),
      ...(typeof contains === 'string' ? [`strpos(${column}, ${this.#add(contains)}) > 0`] : []),
    ];
  }

  #source(name: string): string {
    return `source_id IN (SELECT id FROM sources WHERE collection_id = $1 AND name = ${this.#add(name)})`;
  }

  #metadata({ path, equals, exists }: MetadataFilter): string[] {
    const value = `metadata #> ${this.#add(path)}::text[]`;
    return [
      ...(equals === undefined
        ? []
        : [`coalesce(${value} = ${this.#add(storableJson(equals))}::jsonb, false)`]),
      ...(typeof exists === 'boolean' ? [`${value} IS ${exists ? 'NOT ' : ''}NULL`] : []),
    ];
  }

  #range(
    column: string,
    low: Date | number | null | undefined,
    high: Date | number | null | undefined,
    upTo: '<' | '<=',
  ): string[] {
    return [
      ...(low === null || low === undefined ? [] : [`${column} >= ${this.#add(low)}`]),
      ...(high === null || high === undefined ? [] : [`${column} ${upTo} ${this.#add(high)}`]),
    ];
  }

  #add(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'FALSE' : `(${conditions.join(' OR ')})`;
}
