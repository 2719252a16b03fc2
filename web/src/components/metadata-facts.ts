/** What a file tells of itself, as names and values to be read: leaves of the JSON, named by their keys. */
export function metadataFacts(metadata: unknown): readonly (readonly [string, string])[] {
  return Object.entries(asObject(metadata)).flatMap(([key, value]) => {
    if (key === 'camera') return camera(asObject(value));
    if (key === 'gps') return position(asObject(value));
    return leaves(capitalize(key), value);
  });
}

type Facts = readonly (readonly [string, string])[];

function camera({ make, model, lens, ...others }: Readonly<Record<string, unknown>>): Facts {
  const name = [make, model].filter((part) => typeof part === 'string').join(' ');
  return [
    ...(name === '' ? [] : [['Camera', name] as const]),
    ...leaves('Lens', lens),
    ...leaves('Camera', others),
  ];
}

function position({ latitude, longitude, altitude }: Readonly<Record<string, unknown>>): Facts {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return [];
  const height = typeof altitude === 'number' ? `, ${Math.round(altitude)} m` : '';
  return [['Position', `${latitude.toFixed(5)}, ${longitude.toFixed(5)}${height}`]];
}

function leaves(name: string, value: unknown): Facts {
  if (Array.isArray(value)) return leaves(name, value.map(String).join(', '));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(`${name} ${key}`, inner));
  }
  if (typeof value === 'number' || typeof value === 'boolean') return [[name, String(value)]];
  return typeof value === 'string' && value !== '' ? [[name, value]] : [];
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
