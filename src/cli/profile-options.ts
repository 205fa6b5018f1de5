import type { Command } from 'commander';
import { addHardwareOptions } from './compare-options.js';
import { addModelOptions } from './options.js';
import { nonEmpty, whole } from './parse.js';

/** Adds the options that say which steps are traced, and where the trace goes. */
export function addProfileOptions(command: Command): Command {
  command
    .option('--prompt <n>', 'tokens of the prefill (128)', whole('--prompt', 1))
    .option('--decode <n>', 'decode steps after it (8)', whole('--decode', 0))
    .option('--batch <n>', 'sequences of a decode step (1)', whole('--batch', 1))
    .option('--tokens <n>', 'tokens generated to see how busy the GPU is; 0 for none (128)', whole('--tokens', 0))
    .option('--output <file>', 'where the trace is written (trace.json)', nonEmpty('--output', 'the path of a file'));
  return addModelOptions(addHardwareOptions(command));
}
