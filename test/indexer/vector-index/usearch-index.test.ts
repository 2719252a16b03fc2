import { vectorIndexContract } from './contract.ts';

vectorIndexContract('usearch', true);
