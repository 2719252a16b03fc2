import { vectorIndexContract } from './contract.ts';

vectorIndexContract('exact', false);
