import readExif, { type Exif } from 'exif-reader';

/** What a file tells of itself; keys only where known. */
export interface PhotoMetadata {
  readonly camera?: Camera;
  readonly gps?: Position;
  /** Of XMP and IPTC within the file. */
  readonly keywords?: readonly string[];
}

export interface Camera {
  readonly make?: string;
  readonly model?: string;
  readonly lens?: string;
}

/** Degrees north and east; metres above the sea. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitude?: number;
}

export interface ExifFacts {
  readonly takenAt: Date | null;
  readonly metadata: PhotoMetadata;
}

const NOTHING: ExifFacts = { takenAt: null, metadata: {} };

/** A JPEG's segment holds no more; longer ones are padding or an attack. */
const MAX_EXIF_BYTES = 65_536;
const MAX_TEXT = 200;
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/** Strangers wrote these bytes: whatever is wrong with them, the answer is that the file doesn't say. */
export function readExifFacts(bytes: Buffer | undefined): ExifFacts {
  if (bytes === undefined || bytes.length > MAX_EXIF_BYTES) return NOTHING;
  try {
    const exif = readExif(bytes);
    const camera = cameraOf(exif);
    const gps = positionOf(exif);
    return {
      takenAt: takenAtOf(exif),
      metadata: { ...(camera === null ? {} : { camera }), ...(gps === null ? {} : { gps }) },
    };
  } catch {
    return NOTHING;
  }
}

function cameraOf({ Image, Photo }: Exif): Camera | null {
  const entries = { make: Image?.Make, model: Image?.Model, lens: Photo?.LensModel };
  const known = Object.entries(entries).flatMap(([key, value]) => {
    const text = cleanText(value);
    return text === '' ? [] : [[key, text] as const];
  });
  return known.length === 0 ? null : Object.fromEntries(known);
}

/** Readable, on one line, of a bounded length. */
function cleanText(value: unknown): string {
  const text = Buffer.isBuffer(value) ? value.toString('utf8') : value;
  if (typeof text !== 'string') return '';
  const [beforeNul = ''] = text.split('\0', 1);
  return beforeNul
    .replace(/[\p{C}\p{Z}\ufffd]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

/** Taken as UTC where the camera noted no time zone. */
function takenAtOf({ Image, Photo }: Exif): Date | null {
  const local: unknown = Photo?.DateTimeOriginal ?? Photo?.DateTimeDigitized ?? Image?.DateTime;
  if (!(local instanceof Date)) return null;
  const time = local.getTime() - offsetMs(Photo?.OffsetTimeOriginal ?? Photo?.OffsetTime);
  return time >= EARLIEST && time < LATEST ? new Date(time) : null;
}

/** Of `+02:00`. */
function offsetMs(offset: unknown): number {
  const match = typeof offset === 'string' ? /^([+-])(\d\d):(\d\d)/.exec(offset) : null;
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return minutes > 14 * 60 ? 0 : (match[1] === '-' ? -1 : 1) * minutes * 60_000;
}

function positionOf({ GPSInfo: tags }: Exif): Position | null {
  const latitude = degrees(tags?.GPSLatitude, tags?.GPSLatitudeRef, 'S');
  const longitude = degrees(tags?.GPSLongitude, tags?.GPSLongitudeRef, 'W');
  if (latitude === null || longitude === null) return null;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return null;
  const altitude = metres(tags?.GPSAltitude, tags?.GPSAltitudeRef);
  return { latitude, longitude, ...(altitude === null ? {} : { altitude }) };
}

/** Of degrees, minutes and seconds; to 1e-6, some 10 cm. */
function degrees(parts: unknown, reference: unknown, negative: 'S' | 'W'): number | null {
  if (!Array.isArray(parts) || parts.length !== 3) return null;
  const [d, m, s] = parts.map(Number);
  const value = (d ?? NaN) + (m ?? NaN) / 60 + (s ?? NaN) / 3600;
  if (!Number.isFinite(value)) return null;
  return (reference === negative ? -1 : 1) * (Math.round(value * 1e6) / 1e6);
}

const HIGHEST_M = 100_000;

function metres(value: unknown, reference: unknown): number | null {
  if (typeof value !== 'number' || !(Math.abs(value) <= HIGHEST_M)) return null;
  return (Number(reference) === 1 ? -1 : 1) * (Math.round(value * 100) / 100);
}
