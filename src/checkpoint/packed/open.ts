import { openAwq } from '../awq/open.js';
import type { Checkpoint } from '../checkpoint.js';
import { openGptq } from '../gptq/open.js';
import type { PackedSource } from './checkpoint.js';

const METHODS = { gptq: openGptq, awq: openAwq };

/** Opens a checkpoint of quantised layers over its tensors. */
export const openPacked = (source: PackedSource): Checkpoint => METHODS[source.format.method](source);
