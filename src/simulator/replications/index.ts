import { mooncake } from './mooncake.js';
import type { Replication } from './replication.js';
import { splitwiseSim } from './splitwise-sim.js';
import { vllm4090, vllmPro6000 } from './vllm.js';

/** Every published run that is made again here. */
export const REPLICATIONS: readonly Replication[] = [splitwiseSim, vllm4090, vllmPro6000, mooncake];
