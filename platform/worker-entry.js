/** Where every worker thread begins. Node 20 reads no TypeScript, and a thread inherits no loader registered at run time. */
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.script);
