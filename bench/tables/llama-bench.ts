import type { BenchResult, LlamaBenchRecord } from '../schema.js';
import { markdownTable } from './markdown.js';

/** The columns of `llama-bench -o md`, as people know them. Threads are those of a software driver, else ngl counts. */
export function llamaBenchTable(result: BenchResult): string {
  const records = result.records.filter((record): record is LlamaBenchRecord => record.kind === 'llama-bench');
  if (records.length === 0) return '';
  const { model, host, context } = result;
  const software = /llvmpipe|lavapipe|swiftshader|software/i.test(`${context.adapter} ${context.driver}`);
  const head = ['model', 'size', 'params', 'backend', software ? 'threads' : 'ngl', 'test', 't/s'];
  const rows = records.map((record) => [
    `${model.name} ${context.dtype.toUpperCase()}`,
    sizeOf(model.weight_bytes),
    parametersOf(model.parameters),
    'WebGPU',
    // All layers and the output run on the GPU.
    String(software ? host.threads : model.config.layers + 1),
    testOf(record),
    `${record.avg_ts.toFixed(2)} ± ${record.stddev_ts.toFixed(2)}`,
  ]);
  return markdownTable(head, rows, [false, true, true, false, true, true, true]);
}

/** `pp512`, `tg128`, `pp512+tg128`, and `@ d512` behind what runs after that many tokens. */
export function testOf({ n_prompt, n_gen, n_depth }: Pick<LlamaBenchRecord, 'n_prompt' | 'n_gen' | 'n_depth'>): string {
  const parts = [n_prompt > 0 ? `pp${n_prompt}` : '', n_gen > 0 ? `tg${n_gen}` : ''].filter((part) => part !== '');
  return parts.join('+') + (n_depth > 0 ? ` @ d${n_depth}` : '');
}

/** As llama-bench prints sizes: GiB from one on, MiB below. */
function sizeOf(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

function parametersOf(count: number): string {
  return count >= 1e9 ? `${(count / 1e9).toFixed(2)} B` : `${(count / 1e6).toFixed(2)} M`;
}
