import { blogStrategies } from './blog-strategies.js';
import { distserve } from './distserve.js';
import { mooncake } from './mooncake.js';
import { newsCost } from './news-cost.js';
import { platforms } from './platforms.js';
import type { Replication } from './replication.js';
import { spadChips } from './spad-chips.js';
import { spadProvision, spadSlos } from './spad-provision.js';
import { spadModels, spadReallocate } from './spad-reallocate.js';
import { splitwisePaper } from './splitwise-paper.js';
import { splitwiseSim } from './splitwise-sim.js';
import { vllm4090, vllmPro6000 } from './vllm.js';

/** Every published run that is made again here. */
export const REPLICATIONS: readonly Replication[] = [
  splitwiseSim,
  vllm4090,
  vllmPro6000,
  mooncake,
  platforms,
  blogStrategies,
  newsCost,
  distserve,
  spadChips,
  spadProvision,
  spadSlos,
  spadReallocate,
  spadModels,
  splitwisePaper,
];
