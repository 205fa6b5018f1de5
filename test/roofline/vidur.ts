import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/node/package-root.js';

/** Where Vidur's profiles are, beside the repository; undefined where they are not. */
export function vidurProfile(device: 'a100' | 'h100'): string | undefined {
  const path = join(packageRoot(), '..', 'shared', 'data', 'profiles', `vidur_${device}_llama2-7b_mlp.csv`);
  return existsSync(path) ? path : undefined;
}

/** One row: tokens, tensor parallelism, and the median milliseconds of each operation of a layer. */
export interface ProfileRow {
  readonly tokens: number;
  readonly tp: number;
  /** `attn_pre_proj`, `attn_post_proj`, `mlp_up_proj`, `mlp_down_proj`, `input_layernorm`, ... */
  readonly ms: (operation: string) => number;
}

export function readProfile(path: string): ProfileRow[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    const field = (name: string): number => Number(values[names.indexOf(name)]);
    return {
      tokens: field('num_tokens'),
      tp: field('num_tensor_parallel_workers'),
      ms: (operation) => field(`time_stats.${operation}.median`),
    };
  });
}
