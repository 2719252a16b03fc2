import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { plain, RED } from './images.ts';

/** A PNG whose header says it is this large. */
export function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.from('00000000000000000802000000', 'hex');
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(Buffer.alloc(1000)))],
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export interface HostileFolder {
  /** Paths of the pictures that are good. */
  readonly good: readonly string[];
  /** By path as the ledger shows it: why it isn't. */
  readonly bad: Readonly<Record<string, string>>;
}

/** Fills a folder with what an ingest must survive. */
export async function fillHostileFolder(folder: string): Promise<HostileFolder> {
  const photo = await plain(RED, 120, 80).jpeg().toBuffer();
  const write = (name: string | Buffer, bytes: string | Uint8Array): Promise<void> =>
    writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]), bytes);
  const good = ['good.jpg', 'new\nline.jpg', 'quote\'"?*\\.jpg', 'no tail.JPEG', 'e\u0301.png'];
  const odd = ['\u00e9.png', 'deep/er/photo.jpg', 'png called.jpg'];
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  for (const name of [...good, ...odd]) await write(name, photo);
  await write('png called.jpg', await plain(RED, 30, 30).png().toBuffer());
  const files: Record<string, readonly [string | Uint8Array, string]> = {
    'image.jpg': ['this is text', 'NOT_AN_IMAGE'],
    'empty.jpg': ['', 'EMPTY_FILE'],
    'half.jpg': [photo.subarray(0, photo.length * 0.6), 'TRUNCATED'],
    'huge.png': [pngOfSize(30_000, 30_000), 'TOO_MANY_PIXELS'],
    'vector.svg': ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'UNSUPPORTED_FORMAT'],
    'vector.png': ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'UNSUPPORTED_FORMAT'],
  };
  for (const [name, [bytes]] of Object.entries(files)) await write(name, bytes);
  const reasons = Object.entries(files).map(([name, [, reason]]) => [name, reason] as const);
  await addWhatIsNoFile(folder);
  await write(Buffer.from('bad\xff.jpg', 'latin1'), photo);
  await write('notes.txt', 'not a picture, and does not say so');
  await mkdir(join(folder, '.hidden'));
  await write('.hidden/photo.jpg', photo);
  return {
    good: [...good, ...odd],
    bad: {
      ...Object.fromEntries(reasons),
      ...{ 'pipe.jpg': 'NOT_A_FILE', 'passwd.jpg': 'SYMLINK', outside: 'SYMLINK' },
      'bad\ufffd.jpg (bytes 626164ff2e6a7067)': 'NAME_NOT_UTF8',
    },
  };
}

async function addWhatIsNoFile(folder: string): Promise<void> {
  execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
  await symlink('/etc/passwd', join(folder, 'passwd.jpg'));
  await symlink('/etc', join(folder, 'outside'));
}
