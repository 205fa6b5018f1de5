import type { Withheld } from '../../gpu/capabilities.js';
import type { Gpu } from '../../gpu/gpu.js';
import type { TuneOptions } from '../../tuning/tune.js';
import { remarkOn, withheldBy, type DriverRecord, type Finding } from './record.js';
import { trialKey, type TrialModel } from './trial.js';
import { vet, type TrialOutcome } from './vet.js';

/** What a process that tries a driver is asked for. */
export interface TrialRequest {
  /** The adapter's whole name. */
  readonly adapter: string;
  readonly model: TrialModel;
  readonly withheld: Required<Withheld>;
  /** Compare results with the host's. */
  readonly check: boolean;
  /** Milliseconds for choosing kernels by measuring; absent where none are to be. */
  readonly tuneMs?: number;
}

/** What the platform does for drivers that nobody knows yet. */
export interface DriverHost {
  /** False on a device that computes nothing: results of kernels are not compared. */
  readonly check: boolean;
  load(adapter: string, driver: string): Promise<DriverRecord>;
  save(adapter: string, driver: string, record: DriverRecord): Promise<void>;
  /** Writes down at once what is about to be compiled or run, for the next process to find if this one ends at it. */
  noteTrying(adapter: string, driver: string, kernel: string | undefined): void;
  /** Tries in a process of its own; absent where that cannot be had or is not wanted. */
  readonly run?: (request: TrialRequest, onTuning: TuneOptions['onProgress']) => Promise<TrialOutcome>;
}

/**
 * Sees to it that a GPU's driver does not end this process or give it wrong numbers: what is known of it is withheld
 * from the device, and a model whose kernels nobody has tried on it is tried in a process of its own first. Drivers that
 * run on the CPU are known.
 *
 * @param tuneMs for choosing kernels by measuring, which is done in that process too
 * @returns one line for the user, where something is left out
 * @throws RidgepointError that names kernel and driver, where nothing can take the place of what the driver fails at
 */
export async function prepareDriver(
  gpu: Gpu,
  model: TrialModel,
  host: DriverHost | undefined,
  tuneMs: number | undefined,
  onTuning: TuneOptions['onProgress'],
): Promise<string | undefined> {
  if (host === undefined || gpu.capabilities.isCpu) return undefined;
  const { name, driver } = gpu;
  let { findings, tried } = await host.load(name, driver);
  const key = [trialKey(model), ...gpu.capabilities.disabled].join(' ');
  const { run } = host;
  if (run !== undefined && !tried.includes(key)) {
    const vetting = {
      ...{ adapter: name, driver },
      run: (found: readonly Finding[]) =>
        run({ adapter: name, model, withheld: withheldBy(found), check: host.check, tuneMs }, onTuning),
      save: (record: DriverRecord) => host.save(name, driver, record),
    };
    const record = (await vet(vetting, key, { findings, tried })) ?? (await host.load(name, driver));
    ({ findings, tried } = record);
  }
  gpu.withhold(withheldBy(findings));
  return remarkOn(driver, findings);
}

/** Withholds from a device what is known of its driver, without trying anything: for tools that load no model. */
export async function withholdKnown(gpu: Gpu, host: DriverHost | undefined): Promise<string | undefined> {
  if (host === undefined || gpu.capabilities.isCpu) return undefined;
  const { findings } = await host.load(gpu.name, gpu.driver);
  gpu.withhold(withheldBy(findings));
  return remarkOn(gpu.driver, findings);
}

/**
 * Does work on a GPU whose driver may end the process, as measuring every variant may: what is tried is written down
 * first, so that the next process leaves it out.
 */
export async function noting<T>(gpu: Gpu, host: DriverHost | undefined, work: () => Promise<T>): Promise<T> {
  if (host === undefined || gpu.capabilities.isCpu) return work();
  gpu.pipelines.trying = (names) => host.noteTrying(gpu.name, gpu.driver, names.at(-1));
  try {
    const result = await work();
    host.noteTrying(gpu.name, gpu.driver, undefined);
    return result;
  } finally {
    gpu.pipelines.trying = undefined;
  }
}
