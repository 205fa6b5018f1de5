import { RidgepointError } from '../errors.js';
import type { Gpu } from '../gpu/gpu.js';
import type { KvStored } from '../kernels/attention/shape.js';
import type { KernelChoices } from '../kernels/choices.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from '../model/config.js';
import type { DistinctLayers } from '../model/layer-formats.js';
import type { ActivationDtype } from '../quantization/activations.js';
import { departures, kernelChoices } from './choices.js';
import { contestsOf, type ContestList } from './contests.js';
import type { TunedEntry, TuningFile } from './file.js';
import { GpuLaboratory } from './laboratory.js';
import { holdsChoice, tune, type TuneOptions } from './tune.js';

/** Where results are kept between runs; a platform without a place for them has none. */
export interface TuningStore {
  /** What was kept of an adapter and driver; undefined for nothing, or for something of another version. */
  load(adapter: string, driver: string): Promise<TuningFile | undefined>;
  /** Keeps it in place of what was there. Failing to is no reason not to run. */
  save(file: TuningFile): Promise<void>;
}

/** What a load takes at most, unless `ridgepoint tune` ran before. */
export const LOAD_BUDGET_MS = 4000;
/** Smaller models run in the caches, and gain less than a user waits. */
const LEAST_WEIGHT_BYTES = 256 << 20;

/** What an engine says of the choice of its kernels. */
export interface TuningInfo {
  /** `measured` in this load, or kept from an earlier one. */
  readonly source: 'measured' | 'kept';
  readonly date: string;
  /** Shapes measured, of all the model has. */
  readonly shapes: { readonly measured: number; readonly of: number };
  /** Where another variant than the default is used. */
  readonly changed: readonly string[];
  /** Variants that gave wrong results, by shape. */
  readonly dropped: readonly string[];
}

export interface AutotuneRequest {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly dtype: StoredDtype;
  /** Of embedding and `lm_head`. */
  readonly head: StoredDtype;
  /** What prompts' projections multiply. */
  readonly activations: ActivationDtype;
  /** Layers with formats of their own. */
  readonly distinct?: DistinctLayers;
  readonly kv: KvStored;
  /** That may decode together. */
  readonly sequences: number;
  readonly weightBytes: number;
  readonly store: TuningStore | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: TuneOptions['onProgress'];
  /** False on a device that computes nothing: results are not compared. */
  readonly check?: boolean;
}

/** Whether a load measures where nothing is kept. */
export const paysTo = ({ gpu, weightBytes, store }: Pick<AutotuneRequest, 'gpu' | 'weightBytes' | 'store'>): boolean =>
  !gpu.capabilities.isCpu && weightBytes >= LEAST_WEIGHT_BYTES && store !== undefined;

/**
 * Choices for a model about to be loaded: those kept of this adapter; where there are none, on a GPU and for a model
 * large enough to pay, those measured now. On CPU drivers only `ridgepoint tune` measures, since it would take longer
 * than a start may.
 */
export async function autotune(
  request: AutotuneRequest,
): Promise<{ choices: KernelChoices; info: TuningInfo } | undefined> {
  const { gpu, config, dtype, head, activations, distinct, sequences, kv, store } = request;
  const kept = await store?.load(gpu.name, gpu.driver);
  const pays = paysTo(request);
  if (kept === undefined && !pays) return undefined;
  const list = contestsOf(config, { formats: { dtype, head, activations, distinct }, sequences, kv }, gpu);
  const known = kept?.entries ?? {};
  if (!pays) return outcome(list, known, 'kept', kept!.date);
  const { file, changed } = await measure(request, list, kept, { budgetMs: LOAD_BUDGET_MS });
  if (file === undefined) return outcome(list, known, 'kept', kept?.date ?? '');
  return outcome(list, file.entries, changed ? 'measured' : 'kept', file.date);
}

/**
 * Measures a model's contests and keeps what is new.
 *
 * @returns undefined in `file` where there was no memory to measure in
 */
export async function measure(
  { gpu, store, signal, onProgress, check }: AutotuneRequest,
  { contests }: ContestList,
  kept: TuningFile | undefined,
  options: Pick<TuneOptions, 'budgetMs' | 'force'>,
): Promise<{ file: TuningFile | undefined; changed: boolean }> {
  const known = kept?.entries ?? {};
  const laboratory = new GpuLaboratory(gpu, { signal, check });
  const fileOf = (entries: TuningFile['entries']): TuningFile => ({
    version: 1,
    adapter: gpu.name,
    driver: gpu.driver,
    date: new Date().toISOString(),
    entries: { ...known, ...entries },
  });
  // After each contest: a driver that ends the process at the next takes only that one along.
  const onEntry = gpu.capabilities.isCpu
    ? undefined
    : async (entries: TuningFile['entries']): Promise<void> => store?.save(fileOf(entries));
  try {
    const { entries, changed } = await tune(laboratory, contests, known, { ...options, signal, onProgress, onEntry });
    if (kept !== undefined && !changed) return { file: kept, changed };
    const file = fileOf(entries);
    await store?.save(file);
    return { file, changed };
  } catch (error) {
    if (!(error instanceof RidgepointError) || error.code !== 'memory') throw error;
    return { file: undefined, changed: false };
  } finally {
    laboratory.destroy();
  }
}

function outcome(
  list: ContestList,
  entries: Readonly<Record<string, TunedEntry>>,
  source: TuningInfo['source'],
  date: string,
): { choices: KernelChoices; info: TuningInfo } | undefined {
  const own = list.contests.filter((contest) => holdsChoice(contest, entries[contest.key]));
  if (own.length === 0) return undefined;
  return {
    choices: kernelChoices(list, entries),
    info: {
      source,
      date,
      shapes: { measured: own.filter(({ key }) => entries[key].measured).length, of: list.contests.length },
      changed: departures(list.contests, entries),
      dropped: own.flatMap(({ key }) => entries[key].dropped.map(({ name, reason }) => `${key}: ${name}: ${reason}`)),
    },
  };
}
