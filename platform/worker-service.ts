import { parentPort, workerData, type Transferable } from 'node:worker_threads';
import { messageOf, PlatformError, type ErrorCode } from './errors.ts';

/** What a worker sends to its pool. */
export type WorkerReply<Response> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed-start'; readonly error: WireError }
  | { readonly kind: 'done'; readonly response: Response }
  | { readonly kind: 'failed'; readonly error: WireError };

/** An error as it crosses threads: codes survive, classes don't. */
export interface WireError {
  readonly code: ErrorCode | null;
  readonly message: string;
}

export interface WorkerService<Request, Response> {
  handle(request: Request): Promise<{ response: Response; transfer?: readonly Transferable[] }>;
  close(): Promise<void>;
}

/** The worker's side of `WorkerPool`: starts the service once, then answers requests in order until told to close. */
export async function serveWorker<Request, Response>(
  start: (data: unknown) => Promise<WorkerService<Request, Response>>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('serveWorker runs in a worker thread only.');
  const send = (reply: WorkerReply<Response>, transfer: readonly Transferable[] = []): void => {
    port.postMessage(reply, transfer);
  };

  let service: WorkerService<Request, Response>;
  try {
    const { data } = workerData as { data: unknown }; // our pool's
    service = await start(data);
  } catch (error) {
    send({ kind: 'failed-start', error: toWire(error) });
    port.close();
    return;
  }
  port.on('message', (message: Request | { kind: 'close' }) => {
    if (isClose(message)) {
      void service.close().finally(() => {
        port.close();
      });
      return;
    }
    service.handle(message).then(
      ({ response, transfer }) => {
        send({ kind: 'done', response }, transfer);
      },
      (error: unknown) => {
        send({ kind: 'failed', error: toWire(error) });
      },
    );
  });
  send({ kind: 'ready' });
}

function isClose(message: unknown): message is { kind: 'close' } {
  return (
    typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'close'
  );
}

function toWire(error: unknown): WireError {
  return { code: error instanceof PlatformError ? error.code : null, message: messageOf(error) };
}

export function fromWire({ code, message }: WireError): Error {
  return code === null ? new Error(message) : new PlatformError(code, message);
}
