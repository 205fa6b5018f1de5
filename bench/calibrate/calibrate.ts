import type { EngineHost } from '../../src/engine/host.js';
import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import { Gpu } from '../../src/gpu/gpu.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { PaceLog } from '../pace/log.js';
import { paceOf } from '../pace/record.js';
import { measureEngine } from './engine-runs.js';
import { fitRuns } from './fitted.js';
import { measureMachine } from './machine.js';
import { surveyName, surveyMatrices, type MatrixSurvey } from './subgroup-matrix.js';

export interface CalibrateOptions {
  readonly adapter?: string;
  /** Leave out the engine's own kernels. */
  readonly ceilingsOnly?: boolean;
  readonly onProgress?: (what: string) => void;
  /** A figure that could not be measured, and why. */
  readonly onSkipped?: (what: string) => void;
  /** What is measured so far: a driver that takes the process along shall not take this with it. */
  readonly onMeasured?: (calibration: Calibration) => Promise<void>;
  /** How matrix configurations are measured; default in this process. */
  readonly survey?: MatrixSurvey;
}

/**
 * Measures an adapter: its ceilings with kernels built for nothing else; how far the engine's kernels get towards them;
 * and what whole steps and requests take beside their kernels. All that is measured together is measured in rounds.
 * Of ceilings the best of the rounds counts, of steps and requests the lower decile, as in comparisons; on a driver that
 * runs on the processor the median of what they would have taken at one pace.
 *
 * What every adapter can do comes first, then what drivers are new at: memory, launches and multiply-adds, then each
 * matrix configuration by itself, then the engine. What fails of the latter two is left out and said.
 *
 * @param version of Ridgepoint, for the record
 */
export async function calibrate(host: EngineHost, version: string, options: CalibrateOptions): Promise<Calibration> {
  const { onProgress, onSkipped, onMeasured } = options;
  const source = await host.openGpu(options.adapter);
  const gpu = await Gpu.open(source);
  let machine: Calibration;
  let configs: readonly SubgroupMatrixConfig[];
  try {
    configs = gpu.capabilities.subgroupMatrixConfigs;
    machine = {
      version: 1,
      adapter: source.name,
      driver: source.driver,
      isCpu: gpu.capabilities.isCpu,
      date: new Date().toISOString(),
      ridgepoint: version,
      ...(await measureMachine(gpu, options)),
      efficiencies: {},
    };
    gpu.check();
  } finally {
    await gpu.dispose();
  }
  await onMeasured?.(machine);
  machine = await withMatrices(machine, configs, host, options);
  if (configs.length > 0) await onMeasured?.(machine);
  if (options.ceilingsOnly) return machine;
  const stamped = machine.profiledSeconds !== undefined;
  if (!stamped) onSkipped?.('the engine’s kernels one by one, since this adapter has no timestamps, or rounded ones');
  try {
    const log = await PaceLog.open(host, source.name);
    const runs = await measureEngine(host, source.name, { onProgress, pace: log, stamped }).finally(() => log.close());
    const taken = log.record();
    const { efficiencies, steps, broughtTo } = fitRuns(runs, machine, taken, stamped);
    const pace = paceOf(taken, broughtTo);
    return { ...machine, efficiencies, steps, ...(pace === undefined ? {} : { pace }) };
  } catch (error) {
    onSkipped?.(`the engine’s kernels: ${(error as Error).message}`);
    return machine;
  }
}

async function withMatrices(
  machine: Calibration,
  configs: readonly SubgroupMatrixConfig[],
  host: EngineHost,
  { adapter, onProgress, onSkipped, survey }: CalibrateOptions,
): Promise<Calibration> {
  const rates: Calibration['ceilings']['subgroupMatrix'] = [];
  const spread = { ...machine.spread };
  const openGpu = async (): Promise<Gpu> => Gpu.open(await host.openGpu(adapter));
  const measure: MatrixSurvey = survey ?? ((list, tell) => surveyMatrices(openGpu, list, 0, tell));
  try {
    await measure(configs, (news) => {
      const name = `subgroupMatrix ${surveyName(configs[news.at])}`;
      if ('rate' in news) {
        rates.push(news.rate);
        spread[name] = news.spread;
      } else if ('refused' in news) onSkipped?.(`${name}: ${news.refused}`);
      else onProgress?.(name);
    });
  } catch (error) {
    onSkipped?.(`matrix configurations: ${(error as Error).message}`);
  }
  return { ...machine, ceilings: { ...machine.ceilings, subgroupMatrix: rates }, spread };
}
