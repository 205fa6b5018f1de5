import type { EngineOptions, PolicyName } from '../../src/engine/api.js';
import type { EngineHost } from '../../src/engine/host.js';
import { startEngine } from '../../src/engine/start.js';
import { RidgepointError } from '../../src/errors.js';
import { option, words } from '../../src/wording.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { clip, makeWorkload } from '../../src/traffic/workload.js';
import { engineDriver } from '../serve/drivers/engine-driver.js';
import { wallClock } from '../serve/load/clock.js';
import { runLoad } from '../serve/load/run-load.js';
import { StepLog } from '../serve/step-log.js';
import { wideHost } from './engine-runs.js';
import { fitServing, withoutHost, type ServedSteps } from './serving-fit.js';

/** Between them these make every kind of step: rows alone, whole prompts, and chunks of prompts beside rows. */
const POLICIES: readonly PolicyName[] = ['chunked', 'prefill-first'];
/** Requests under way at a time, in one run after the other, so that steps have few rows and many. */
const CROWDS = [2, 4, 8];
/** Requests of a run, for each that is under way; lengths differ, so that they join and leave at different steps. */
const TURNS = 3;
const INPUT = { kind: 'lognormal', median: 80, sigma: 0.8 } as const;
const OUTPUT = { kind: 'lognormal', median: 20, sigma: 0.6 } as const;
/** Milliseconds a run takes at most: on a slow adapter it is cut short, and what it had is kept. */
const LONGEST_RUN = 8000;
const CHUNK = 64;

export interface ServingOptions {
  readonly onProgress?: (what: string) => void;
}

/**
 * Times the steps of two models while requests come and go, and fits what steps take beside their operations.
 *
 * @param calibration of this adapter, with efficiencies: what operations take is known from it
 * @returns the calibration with the costs of serving
 * @throws RidgepointError when it has no efficiencies, or when too few steps ran
 */
export async function calibrateServing(
  host: EngineHost,
  calibration: Calibration,
  { onProgress }: ServingOptions = {},
): Promise<Calibration> {
  const { adapter } = calibration;
  if (Object.keys(calibration.efficiencies).length === 0) {
    throw new RidgepointError(
      'usage',
      words`the calibration of ${adapter} does not say what operations take; run "ridgepoint calibrate" without ${option('calibrate.ceilingsOnly')} first`,
    );
  }
  const machine = withoutHost(fromCalibration(calibration));
  const served: ServedSteps[] = [];
  for (const [from, weights] of [
    [host, 'checkpoint'],
    [wideHost(host), 'synthetic'],
  ] as const) {
    for (const policy of POLICIES) {
      onProgress?.(`requests that come and go, ${policy}, ${weights === 'synthetic' ? 'wide' : 'embedded'} model`);
      served.push(await serveOn(from, { adapter, weights, policy }, machine));
    }
  }
  const { serving, counts } = fitServing(served);
  if (serving.decode === undefined && serving.prompts === undefined) {
    throw new RidgepointError('device', `${adapter}: too few steps ran in the time there is to say what they take`);
  }
  return { ...calibration, serving: toFile(serving), servingSteps: counts };
}

/** As the schema has it, whose lists can be written to. */
const toFile = (serving: ReturnType<typeof fitServing>['serving']): Calibration['serving'] =>
  Object.fromEntries(Object.entries(serving).map(([kind, costs]) => [kind, { ...costs, spread: [...costs.spread] }]));

/** Runs of growing crowds on one engine. */
async function serveOn(
  host: EngineHost,
  options: Pick<EngineOptions, 'adapter' | 'weights' | 'policy'>,
  machine: ReturnType<typeof withoutHost>,
): Promise<ServedSteps> {
  const log = new StepLog(1024);
  const sequences = Math.max(...CROWDS);
  const engine = await startEngine(
    {
      ...options,
      maxSequences: sequences,
      kvCacheTokens: sequences * 512,
      prefixCaching: false,
      ...(options.policy === 'chunked' ? { prefillChunk: CHUNK } : {}),
      onStep: log.observe,
    },
    host,
  );
  try {
    await engine.ready;
    const { contextLength, model, dtype, headDtype, kvDtype } = engine.info;
    const run = async (crowd: number, count: number, seed: number): Promise<void> => {
      const traffic = { kind: 'drawn', arrivals: { kind: 'closed' }, input: INPUT, output: OUTPUT } as const;
      const made = makeWorkload({ count, seed, traffic, lengthScale: 1, sharedPrefix: 0, abortShare: 0 });
      const { workload } = clip(made, contextLength);
      const driver = engineDriver(engine, workload, { temperature: 1, ignoreEos: true });
      const signal = AbortSignal.timeout(LONGEST_RUN);
      await runLoad(workload, driver, { clock: wallClock, maxConcurrency: crowd, signal });
    };
    await run(sequences, sequences, 0); // what a first time costs
    log.clear();
    for (const crowd of CROWDS) await run(crowd, TURNS * crowd, crowd);
    const formats = { weights: dtype, head: headDtype, kv: kvDtype };
    return { predictor: new Predictor(familyModel(model, engine.config), machine, formats), steps: [log.record()] };
  } finally {
    await engine.dispose();
  }
}
