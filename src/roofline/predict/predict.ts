import type { BatchShape, Operation } from '../../model/operations.js';
import { RidgepointError } from '../../errors.js';
import type { KnownEfficiencies } from '../hardware/efficiency.js';
import type { Hardware } from '../hardware/hardware.js';
import { memoryOf, type Memory } from '../hardware/memory.js';
import type { Model } from '../models/models.js';
import { phaseSummary, type PhaseSummary } from './phase-summary.js';
import { decodeStep } from './decode-line.js';
import { Predictor, type PredictorOptions } from './predictor.js';
import type { Price } from './price.js';
import type { Roof } from '../hardware/roof.js';
import { evidenceOf, intervalOf, spreadOf, type Evidence, type Interval } from '../hardware/uncertainty.js';

export interface PredictOptions extends PredictorOptions {
  readonly model: Model;
  readonly hardware: Hardware;
  readonly promptTokens: number;
  /** Tokens generated for each sequence, the first included. */
  readonly outputTokens: number;
  readonly batch?: number;
  /** Tokens of each prompt whose keys and values are in the cache already. */
  readonly cachedTokens?: number;
}

/** A prediction; all sequences of the batch are alike and start together. Seconds and bytes. */
export interface Prediction {
  readonly model: string;
  readonly hardware: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly batch: number;
  readonly cachedTokens: number;
  readonly chips: number;
  readonly ttftSeconds: number;
  /** Where 90 % of measurements are expected, in seconds. */
  readonly ttftInterval: Interval;
  readonly tpotInterval: Interval | undefined;
  /** Whether there are rows of this hardware under this engine, of its class, or of neither. */
  readonly evidence: Evidence;
  /** Of E2E. */
  readonly ttftShare: number;
  /** Mean gap between tokens: (E2E - TTFT) / (n - 1). Undefined for one token. */
  readonly tpotSeconds: number | undefined;
  /** The first and last gap; the context grows in between. */
  readonly itlFirstSeconds: number | undefined;
  readonly itlLastSeconds: number | undefined;
  readonly e2eSeconds: number;
  /** Decode tokens a second of one sequence, and of all. */
  readonly tokensPerSecondPerUser: number | undefined;
  readonly tokensPerSecond: number | undefined;
  /** Prompt tokens a second of all that had to be processed. */
  readonly prefillTokensPerSecond: number;
  readonly memory: Memory;
  readonly prefill: PhaseSummary;
  readonly decode: PhaseSummary | undefined;
  /** Ceiling of matmuls. */
  readonly roof: Roof;
  readonly efficiencies: KnownEfficiencies;
  readonly predictor: Predictor;
}

/** An operation with its price; for tensor parallelism those of one chip. */
export interface PricedOperation {
  readonly operation: Operation;
  readonly price: Price;
}

/** @throws RidgepointError when a number is out of range or chips cannot share the model */
export function predict(options: PredictOptions): Prediction {
  return predictWith(new Predictor(options.model, options.hardware, options), options);
}

export interface Request {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly batch?: number;
  readonly cachedTokens?: number;
}

/** `predict` with a predictor that is there already, for sweeps over requests. */
export function predictWith(predictor: Predictor, request: Request): Prediction {
  const { promptTokens, outputTokens, batch = 1, cachedTokens = 0 } = request;
  for (const [name, value] of Object.entries({ promptTokens, outputTokens, batch })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RidgepointError('usage', `${name} must be a whole number of at least 1, found ${value}`);
    }
  }
  if (!Number.isSafeInteger(cachedTokens) || cachedTokens < 0 || cachedTokens >= promptTokens) {
    throw new RidgepointError(
      'usage',
      `cachedTokens must be a whole number from 0 to ${promptTokens - 1}, as a prompt of ${promptTokens} has one token ` +
        `left to process, found ${cachedTokens}`,
    );
  }
  const { model, hardware, chips, pricer } = predictor;
  const fresh = promptTokens - cachedTokens;
  const ttftSeconds = predictor.prefillSeconds(fresh, batch, cachedTokens);
  const steps = outputTokens - 1;
  const decodeSeconds = predictor.decodeSeconds(promptTokens, steps, batch);
  const decodes = steps > 0;
  const tpotSeconds = decodes ? decodeSeconds / steps : undefined;
  const halfway = promptTokens + Math.floor(steps / 2);
  return {
    model: model.name,
    hardware: hardware.id,
    promptTokens,
    outputTokens,
    batch,
    cachedTokens,
    chips,
    ttftSeconds,
    ttftInterval: intervalOf(ttftSeconds, spreadOf(predictor, 'prompts')),
    tpotInterval: tpotSeconds === undefined ? undefined : intervalOf(tpotSeconds, spreadOf(predictor, 'tokens')),
    evidence: evidenceOf(hardware, predictor.engine.id),
    ttftShare: ttftSeconds / (ttftSeconds + decodeSeconds),
    tpotSeconds,
    itlFirstSeconds: decodes ? predictor.decodeStepSeconds(promptTokens, batch) : undefined,
    itlLastSeconds: decodes ? predictor.decodeStepSeconds(promptTokens + steps - 1, batch) : undefined,
    e2eSeconds: ttftSeconds + decodeSeconds,
    tokensPerSecondPerUser: tpotSeconds && 1 / tpotSeconds,
    tokensPerSecond: tpotSeconds && batch / tpotSeconds,
    prefillTokensPerSecond: (batch * fresh) / ttftSeconds,
    memory: memoryOf(predictor, promptTokens + outputTokens, batch),
    prefill: phaseSummary(predictor, predictor.prefillSteps(fresh, batch, cachedTokens), ttftSeconds),
    decode: decodes
      ? phaseSummary(predictor, [decodeStep(halfway, batch)], predictor.decodeStepSeconds(halfway, batch))
      : undefined,
    roof: pricer.peak,
    efficiencies: pricer.efficiencies,
    predictor,
  };
}

/** Every operation of a step in order, priced. */
export function priceStep(predictor: Predictor, batch: BatchShape): PricedOperation[] {
  return predictor.operations(batch).map((operation) => ({ operation, price: predictor.pricer.price(operation) }));
}
