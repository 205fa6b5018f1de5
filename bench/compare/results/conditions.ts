import { runtimeOf } from '../../context.js';
import type { BenchResult } from '../../schema.js';

/** Something that results were measured with. */
export interface Condition {
  readonly name: string;
  /** One a result. */
  readonly values: readonly string[];
  readonly differs: boolean;
  /** Whether results that differ in it did different work, so that a ratio of theirs says little of machines. */
  readonly isWork: boolean;
}

const list = (values: readonly string[] | undefined): string => (values?.length ? values.join(', ') : 'none');

/** What differs where machines, browsers or drivers are compared, as it is meant to. */
const PLACE: Readonly<Record<string, (result: BenchResult) => string>> = {
  adapter: ({ context }) => context.adapter,
  driver: ({ context }) => context.driver,
  runtime: ({ context }) => runtimeOf(context),
  host: ({ host }) => `${host.os}, ${host.cpu === 'unknown' ? '' : `${host.cpu}, `}${host.threads} threads`,
  date: ({ date }) => date.slice(0, 16).replace('T', ' '),
};

/** What was done. Sizes of the cache follow from the platform, and nothing follows from them. */
const WORK: Readonly<Record<string, (result: BenchResult) => string>> = {
  model: ({ model }) => `${model.name}, ${(model.parameters / 1e6).toFixed(1)} M parameters`,
  weights: ({ context, model }) =>
    `${context.dtype}, head ${context.head_dtype ?? context.dtype}, ${model.weights === 'synthetic' ? 'synthetic' : 'of a checkpoint'}`,
  activations: ({ context }) => context.activations ?? 'f32',
  'KV cache': ({ context }) => context.kv_dtype,
  tier: ({ context }) => context.tier,
  'left out': ({ context }) => list([...(context.disabled ?? []), ...(context.excluded ?? [])]),
  'prefill chunk': ({ model }) => `${model.prefill_chunk} tokens`,
  'kernels of prompts': ({ model }) => list(model.kernels?.prefill),
  'kernels of single tokens': ({ model }) => list(model.kernels?.decode),
  prompts: ({ options }) => (options.prompt === 'ids' ? 'token ids' : 'text'),
  ridgepoint: ({ context }) => `${context.ridgepoint}${context.git_commit === null ? '' : ` (${context.git_commit})`}`,
};

/** What results were measured with: what differs first, places before work. */
export function conditionsOf(results: readonly BenchResult[]): Condition[] {
  const of = (table: typeof PLACE, isWork: boolean): Condition[] =>
    Object.entries(table).map(([name, read]) => {
      const values = results.map(read);
      return { name, values, differs: new Set(values).size > 1, isWork };
    });
  return [...of(PLACE, false), ...of(WORK, true)].sort((a, b) => Number(b.differs) - Number(a.differs));
}
