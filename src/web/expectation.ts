import type { Engine, GenerationResult } from '../platform/browser/index.js';
import type { Calibration } from '../roofline/hardware/calibration.js';
import { fromCalibration, type Hardware } from '../roofline/hardware/hardware.js';
import { KV_DTYPES, weightDtype } from '../roofline/hardware/precision.js';
import { familyModel } from '../roofline/models/models.js';
import type { PhaseSummary } from '../roofline/predict/phase-summary.js';
import { predictWith, type Prediction } from '../roofline/predict/predict.js';
import { Predictor } from '../roofline/predict/predictor.js';

type Loaded = Pick<Engine, 'info' | 'config'>;

/** A predictor of the loaded model's steps; undefined for formats that cannot be priced. */
export function loadedPredictor({ info, config }: Loaded, hardware: Hardware): Predictor | undefined {
  const weights = weightDtype(info.dtype);
  const head = weightDtype(info.headDtype);
  const kv = KV_DTYPES.find((known) => known === info.kvDtype);
  if (weights === undefined || head === undefined || kv === undefined) return undefined;
  return new Predictor(familyModel(info.model, config), hardware, {
    ...{ weights, head, kv },
    activations: info.activations === 'int8' ? 'int8' : 'f32',
    prefillChunk: info.prefillChunk,
    ...(hardware.kind === 'measured' ? {} : { kernels: 'shader' as const }),
  });
}

/** What a reply should have taken; undefined where there was nothing to take time. */
export function expectedOf(predictor: Predictor, result: GenerationResult): Prediction | undefined {
  const { promptIds, ids, cachedTokens } = result;
  if (ids.length === 0 || promptIds.length === 0) return undefined;
  return predictWith(predictor, {
    promptTokens: promptIds.length,
    outputTokens: ids.length,
    cachedTokens: Math.min(cachedTokens, promptIds.length - 1),
  });
}

/** Steps whose costs the host's part of were more than the GPU's are bound by the browser. */
const MOSTLY = 0.5;

/** What bounds a phase, in a word or two. */
export function boundOf({ seconds, operations, bottleneck }: PhaseSummary): string {
  const onGpu = operations.reduce((sum, each) => sum + each.seconds, 0);
  if (onGpu < MOSTLY * seconds) return 'the browser';
  return bottleneck === 'launch' ? 'launches' : bottleneck;
}

const ms = (seconds: number): string => `${(1000 * seconds).toPrecision(3)} ms`;
const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

/**
 * What a reply took beside what it should have: times, the part of the ceilings that it reached, and what bound it.
 *
 * @returns sentences; undefined where nothing is known of the GPU
 */
export function besideExpected(
  loaded: Loaded,
  calibration: Calibration | undefined,
  result: GenerationResult,
): string | undefined {
  if (calibration === undefined) return undefined;
  const predictor = loadedPredictor(loaded, fromCalibration(calibration));
  const prediction = predictor && expectedOf(predictor, result);
  if (prediction === undefined) return undefined;
  const { ttftSeconds, tpotSeconds, prefill, decode } = prediction;
  const { tpotMs } = result;
  const first = `Expected: first token after ${ms(ttftSeconds)}, bound by ${boundOf(prefill)}`;
  if (decode === undefined || tpotSeconds === undefined || tpotMs === undefined) return `${first}.`;
  const reached = decode.bytes / (tpotMs / 1000);
  const memory = calibration.ceilings.readBytesPerSecond;
  const each = `${ms(tpotSeconds)} a token, bound by ${boundOf(decode)}`;
  const measured = `It read ${(reached / 1e9).toPrecision(3)} GB/s, ${percent(reached / memory)} of what this GPU reads at most`;
  const bare = Object.keys(calibration.efficiencies).length + Object.keys(calibration.steps ?? {}).length === 0;
  return `${first}; ${each}. ${measured}${bare ? '; the kernels themselves were not measured, so what is expected is rough' : ''}.`;
}
