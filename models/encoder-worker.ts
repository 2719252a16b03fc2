/** A thread that holds a bundle's sessions and runs one batch at a time. Started by the encoders. */
import { serveWorker, type WorkerService } from '../platform/worker-service.ts';
import { Bundle } from './bundle.ts';
import type { EncoderRequest, EncoderResponse, EncoderWorkerData } from './encoder-protocol.ts';
import { loadTextSessions, loadVisionSession } from './sessions.ts';

async function start(data: unknown): Promise<WorkerService<EncoderRequest, EncoderResponse>> {
  const { folder, manifest, part } = data as EncoderWorkerData; // our own pool's, checked by its type
  const bundle = new Bundle(folder, manifest);
  const vision = part === 'vision' ? await loadVisionSession(bundle) : null;
  const text =
    part === 'vision' ? null : await loadTextSessions(bundle, { withProjector: part === 'text' });

  const run = (request: EncoderRequest): Promise<EncoderResponse> => {
    switch (request.kind) {
      case 'pixels':
        if (vision === null) throw new Error('This worker has no vision session.');
        return vision.encode(request.data, request.count);
      case 'tokens':
        if (text === null) throw new Error('This worker has no text sessions.');
        return text.encode(request);
    }
  };
  await vision?.warmUp();
  await text?.warmUp();
  return {
    handle: async (request) => {
      const own = Float32Array.from(await run(request)); // the runtime's own memory can't change threads
      return { response: own, transfer: [own.buffer] };
    },
    close: async () => {
      await vision?.dispose();
      await text?.dispose();
    },
  };
}

await serveWorker(start);
