/** Where a decoder's process begins. Node 20 reads no TypeScript. */
import { register } from 'tsx/esm/api';

register();
await import('./decoder-child.ts');
