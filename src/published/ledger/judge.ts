import { CATALOGUE, hardwareById } from '../../roofline/hardware/catalogue.js';
import { memoryOf } from '../../roofline/hardware/memory.js';
import type { Model } from '../../roofline/models/models.js';
import type { EngineId } from '../../roofline/hardware/engines.js';
import { Predictor, type PredictorOptions } from '../../roofline/predict/predictor.js';
import { softMaximum } from '../../roofline/predict/overlap.js';
import { intervalOf, spreadOf } from '../../roofline/hardware/uncertainty.js';
import { knownEngine, knownWeights, type LedgerRow } from './row.js';

/** A measurement beside our prediction; milliseconds. */
export interface JudgedRow extends LedgerRow {
  readonly predictedMs: number;
  /** Predicted over measured, less one. */
  readonly error: number;
  /** Whether the measurement lies in our interval of 90 %, milliseconds. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly within: boolean;
}

/** Predictors of rows that share all but lengths and batch. */
export class Judge {
  readonly #predictors = new Map<string, Predictor>();
  readonly #models: ReadonlyMap<string, Model>;
  readonly #options: (row: LedgerRow) => PredictorOptions;

  /** @param models by the names that rows use */
  constructor(models: ReadonlyMap<string, Model>, options: (row: LedgerRow) => PredictorOptions = () => ({})) {
    this.#models = models;
    this.#options = options;
  }

  /** The row with our prediction; undefined when device, model or format is not known, or memory would not hold it. */
  judge(row: LedgerRow): JudgedRow | undefined {
    const predictor = this.predictor(row);
    if (predictor === undefined) return undefined;
    if (!held(predictor, row)) return undefined;
    const predictedMs = 1000 * this.seconds(predictor, row);
    const spread = spreadOf(predictor, row.metric === 'ttft' ? 'prompts' : 'tokens');
    const fronted = row.load === 'closed' && row.metric === 'ttft' && predictor.engine.front !== undefined;
    const loaded = fronted ? Math.hypot(spread, LOADED) : spread;
    const { low, high } = intervalOf(predictedMs, loaded);
    const within = row.ms >= low && row.ms <= high;
    return { ...row, predictedMs, error: predictedMs / row.ms - 1, lowMs: low, highMs: high, within };
  }

  seconds(predictor: Predictor, { load, metric, prompt, output, batch }: LedgerRow): number {
    if (load === 'closed') return closedLoopSeconds(predictor, { metric, prompt, output, batch });
    const ttft = predictor.prefillSeconds(prompt, batch);
    if (metric === 'ttft') return ttft;
    const decode = predictor.decodeSeconds(prompt, output - 1, batch);
    return metric === 'e2e' ? ttft + decode : decode / (output - 1);
  }

  predictor(row: LedgerRow): Predictor | undefined {
    const { device, engine, version, model: name, weights: format, tp } = row;
    const key = [device, engine, version, name, format, tp].join();
    const found = this.#predictors.get(key);
    if (found !== undefined) return found;
    const [model, weights] = [this.#models.get(name), knownWeights(format)];
    if (model === undefined || weights === undefined || !CATALOGUE.some(({ id }) => id === device)) return undefined;
    const predictor = new Predictor(model, hardwareById(device), {
      weights,
      engine: knownEngine(row),
      tensorParallel: tp,
      ...(format === 'fp8' ? { compute: 'fp8' } : {}),
      ...this.#options(row),
    });
    this.#predictors.set(key, predictor);
    return predictor;
  }
}

/** Whether memory holds a row: bare steps need none of what an engine that serves keeps free. */
function held(predictor: Predictor, { load, prompt, output, batch }: LedgerRow): boolean {
  const { fits, weightBytes, kvBytes, capacityBytes } = memoryOf(predictor, prompt + output, batch);
  return load === 'bench' ? weightBytes + kvBytes <= capacityBytes : fits;
}

/** Spread of the wait at an engine's front, which is the benchmark's as much as the engine's. */
const LOADED = 0.4;

/**
 * Requests of a client in a benchmark; the first of all clients come together and wait for one another, and while the
 * last run no new ones come. Fitted to every other row of each engine's closed loops, as the costs of its front are.
 */
const WAVES: Partial<Record<EngineId, number>> = { 'trt-llm': 7, vllm: 9 };

/** How sharply the slower of device and front decides how long a request takes: (device^6 + front^6)^(1/6). */
const SLOWER = 6;

/**
 * A fixed number B of clients that each send the next request when the last is answered. While a request decodes its n
 * tokens each of the others is answered once and sends the next, whose prompt shares a step with the tokens of the rest:
 * TPOT = step + (B - 1) / n x (step with a prompt - step), of which the last wave has half. TensorRT-LLM decodes as if it
 * had a place less than there are clients, so each waits its share of a generation, 1 / (B - 1), for one. A prompt that
 * comes waits half a step for the one that runs, and for those that run before its token is handed out.
 */
export function closedLoopSeconds(
  predictor: Predictor,
  { metric, prompt, output, batch }: Pick<LedgerRow, 'metric' | 'prompt' | 'output' | 'batch'>,
): number {
  const { id, requestSeconds, handOutSteps = 0 } = predictor.engine;
  const waves = WAVES[id] ?? 8;
  const steps = Math.max(1, output - 1);
  const step = predictor.decodeSeconds(prompt, steps, batch) / steps;
  const running = { newTokens: 1, context: prompt + Math.floor(steps / 2) };
  const mixed = predictor.stepSeconds({
    sequences: [{ newTokens: prompt, context: 0, prefill: true }, ...Array<typeof running>(batch - 1).fill(running)],
    logitRows: batch,
  });
  const tpot = step + (1 - 1 / (2 * waves)) * ((batch - 1) / output) * (mixed - step);
  const waits = id.startsWith('trt-llm') && batch > 1;
  const waiting = waits ? (output * tpot) / (batch - 1) : 0;
  const others = ((mixed - step) * batch) / 2 / waves;
  const ttft = requestSeconds + mixed + (0.5 + handOutSteps) * step + others + waiting;
  const late = lateSeconds(predictor, ttft + steps * tpot, output, batch);
  const ttftShare = predictor.engine.front?.ttftShare ?? 0;
  if (metric === 'e2e') return ttft + steps * tpot + late;
  return metric === 'ttft' ? ttft + ttftShare * late : tpot + ((1 - ttftShare) * late) / steps;
}

/** By how much a request takes longer because the engine's front has those of all clients to see to, one by one. */
function lateSeconds({ engine: { front } }: Predictor, device: number, output: number, batch: number): number {
  if (front === undefined) return 0;
  return softMaximum(device, batch * (front.requestSeconds + output * front.tokenSeconds), SLOWER) - device;
}
