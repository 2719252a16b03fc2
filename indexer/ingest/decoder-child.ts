/** A process that decodes one file at a time for its parent, and may die of it. Started by `Decoder`. */
import { writeFileSync } from 'node:fs';
import { messageOf } from '../../platform/errors.ts';
import { decodeImage } from './decode-image.ts';
import type { ChildReply, ChildRequest, FileDigest, Limits } from './decoder-protocol.ts';
import { readSidecars } from './keywords/sidecars.ts';
import { hashFile, readWholeFile, tooLarge } from './read-file.ts';
import { UnreadableImage } from './reasons.ts';

async function answer(request: ChildRequest): Promise<ChildReply> {
  try {
    return await handle(request);
  } catch (error) {
    if (error instanceof UnreadableImage) {
      return { kind: 'unreadable', reason: error.reason, message: error.message };
    }
    return { kind: 'failed', message: messageOf(error) };
  }
}

async function handle(request: ChildRequest): Promise<ChildReply> {
  const { limits } = request;
  switch (request.kind) {
    case 'hash':
      return { kind: 'hashed', digest: await digest(request.path, limits) };
    case 'decode': {
      const { source, task } = request;
      const bytes =
        'path' in source ? await readWholeFile(source.path, limits.maxBytes) : source.bytes;
      if (bytes.length > limits.maxBytes) throw tooLarge(bytes.length, limits.maxBytes);
      return { kind: 'decoded', image: await decodeImage(bytes, task, limits) };
    }
  }
}

/** Sidecars first: one that is written meanwhile is newer than what is kept, and read again. */
async function digest(path: string, { maxBytes }: Limits): Promise<FileDigest> {
  const sidecars = await readSidecars(path);
  const file = await hashFile(path, maxBytes);
  const mtimeNs = sidecars.mtimeNs > file.mtimeNs ? sidecars.mtimeNs : file.mtimeNs;
  return { ...file, mtimeNs, keywords: sidecars.keywords };
}

/** When memory runs out the kernel is to take this process, not the one that has the work of many. */
function volunteerAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '800');
  } catch {
    // Linux only, and not everywhere allowed.
  }
}

function send(reply: ChildReply): void {
  process.send?.(reply);
}

// Ctrl-C reaches the whole group; the parent decides when we end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (request: ChildRequest) => void answer(request).then(send));
volunteerAsVictim();
send({ kind: 'ready' });
