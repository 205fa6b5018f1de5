import { phaseOf, type BatchShape, type Operation, type Phase, type Precision } from '../../model/operations.js';
import { DecodeLine, decodeStep } from './decode-line.js';
import { costsOf, engineById, type EngineCosts, type EngineId, type EngineProfile } from '../hardware/engines.js';
import type { StepCosts } from '../hardware/families.js';
import type { Hardware } from '../hardware/hardware.js';
import { expand, type Model } from '../models/models.js';
import { shard } from '../models/parallel.js';
import { softMaximum } from './overlap.js';
import { precisionOf, type PricedKvDtype, type PricedWeightDtype } from '../hardware/precision.js';
import { Pricer, type EngineKernels, type PriceOptions } from './price.js';
import { StepLines } from './step-lines.js';
import { checkSplit, messagesOf, type Layout, type Messages } from '../models/messages.js';

export interface PredictorOptions extends Omit<PriceOptions, 'engineKernels'> {
  /** f16 by default. */
  readonly weights?: PricedWeightDtype;
  /** Of embedding and `lm_head`; as `weights` by default. */
  readonly head?: PricedWeightDtype;
  readonly kv?: PricedKvDtype;
  /** Chips that share a model by tensor parallelism. */
  readonly tensorParallel?: number;
  /** Groups of such chips, each with a stretch of the layers; one batch is on its way through them at a time. */
  readonly pipelineParallel?: number;
  /** Experts whole on chips, with all-to-alls, instead of divided. */
  readonly expertParallel?: boolean;
  /** Whose host costs are added; none by default. */
  readonly engine?: EngineId | EngineProfile;
  /** Most prompt tokens in one step; all at once when absent. */
  readonly prefillChunk?: number;
}

/** Steps in a row from which on making a line for each size of them is less work than adding each up. */
const MANY = 4;

/** Operations of one chip of a step, with how often each runs and what a run takes. */
export interface StepPart {
  readonly operation: Operation;
  readonly count: number;
  readonly seconds: number;
}

/**
 * Durations of steps of a model on hardware. Equal layers are priced once, and steps of as many tokens are points on a
 * line.
 */
export class Predictor {
  readonly pricer: Pricer;
  readonly precision: Precision;
  /** All of them, and those that divide each layer. */
  readonly chips: number;
  readonly shards: number;
  readonly layout: Layout;
  readonly weights: PricedWeightDtype;
  readonly kv: PricedKvDtype;
  readonly prefillChunk: number;
  readonly engine: EngineProfile;
  readonly #costs: EngineCosts;
  /** Seconds the host takes to record a decode step, and one with prompts; 0 where that is not known. */
  readonly recordSeconds: { readonly decode: number; readonly prompts: number };
  /** By batch. */
  readonly #decodeLines = new Map<number, DecodeLine>();
  readonly #stepLines = new StepLines(this);

  /** @throws RidgepointError when chips are to share a model that have no link, or cannot share it evenly */
  constructor(
    readonly model: Model,
    readonly hardware: Hardware,
    options: PredictorOptions = {},
  ) {
    const { tensorParallel: tensor = 1, pipelineParallel: pipeline = 1, expertParallel: experts = false } = options;
    const { weights = 'f16', head, kv = 'f16' } = options;
    this.layout = { tensor, pipeline, experts };
    checkSplit(this.layout, model, hardware);
    const { engine = 'none' } = options;
    this.engine = typeof engine === 'string' ? engineById(engine) : engine;
    this.#costs = costsOf(this.engine, hardware);
    const { prefillChunk = this.#costs.promptChunk ?? Infinity } = options;
    this.pricer = new Pricer(hardware, {
      ...(this.#costs.halfSums && hardware.dense.f16Accumulate16 !== undefined ? { compute: 'f16-acc16' } : {}),
      ...options,
      engineKernels: kernelsOf(this.#costs, model),
    });
    this.weights = weights;
    this.kv = kv;
    const { compute, activations } = this.pricer;
    this.precision = precisionOf(
      { weights, head, kv, compute, activations, halfRows: hardware.halfRows },
      this.pricer.kernels,
    );
    this.shards = tensor;
    this.chips = tensor * pipeline;
    this.prefillChunk = prefillChunk;
    const recording = (batch: BatchShape): number => {
      const launches = model
        .segments(batch, this.precision)
        .reduce((sum, { count, operations }) => sum + count * operations.filter(({ m }) => m > 0).length, 0);
      return (hardware.host?.recordSeconds ?? 0) * launches;
    };
    const prompt: BatchShape = { sequences: [{ newTokens: 2, context: 0, prefill: true }], logitRows: 1 };
    this.recordSeconds = { decode: recording(decodeStep(0, 1)), prompts: recording(prompt) };
  }

  /** What one chip runs in a step, equal layers once. */
  parts(batch: BatchShape): StepPart[] {
    return this.model.segments(batch, this.precision).flatMap(({ count, operations }) =>
      operations.map((whole) => {
        const operation = this.#shard(whole);
        return { operation, count, seconds: this.pricer.seconds(operation) };
      }),
    );
  }

  /** What one chip runs in a step, written out in order under the names of the engine's profile. */
  operations(batch: BatchShape): Operation[] {
    return expand(this.model.segments(batch, this.precision)).map((operation) => this.#shard(operation));
  }

  /**
   * Seconds of one step of many, over any batch, prompts and decoding sequences mixed as they may be. The host records
   * the next step meanwhile, so the slower of the two counts. Takes a microsecond or two where a step of as many tokens
   * was priced before, for a simulator that asks for millions. On a machine calibrated while serving it is what a step
   * takes while requests come and go.
   */
  stepSeconds(batch: BatchShape): number {
    const phase = phaseOf(batch);
    const serving = this.hardware.host?.serving?.[phase === 'decode' ? 'decode' : 'prompts'];
    if (serving !== undefined) return costed(serving, this.#stepLines.seconds(batch), batch.logitRows);
    const { next, first = next } = this.hardware.host?.steps ?? {};
    const { stretch = 1 } = (phase === 'decode' ? next : first) ?? {};
    const { seconds = 0, rowSeconds = 0 } = next ?? {};
    return Math.max(
      stretch * this.#hosted(this.#stepLines.seconds(batch), phase, batch.logitRows) +
        seconds +
        rowSeconds * batch.logitRows,
      phase === 'decode' ? this.recordSeconds.decode : this.recordSeconds.prompts,
    );
  }

  /**
   * Seconds of steps one after the other, until the host can read the result of the last.
   *
   * @param kind `first` for a request's prompt on its way through the engine, `alone` for bare steps
   */
  stepsSeconds(steps: readonly BatchShape[], kind: 'first' | 'alone' = 'first'): number {
    const { steps: measured, roundTripSeconds = 0 } = this.hardware.host ?? {};
    const costs = measured?.[kind];
    if (costs !== undefined) {
      const each = { ...costs, seconds: 0 };
      return steps.reduce((sum, step) => sum + costed(each, this.deviceSeconds(step), step.logitRows), costs.seconds);
    }
    const begin = this.recordingSeconds(steps[0]) + roundTripSeconds; // nothing runs while the first step is recorded
    // Of many chunks most are as large as others, and points on a line.
    const seconds = (step: BatchShape): number =>
      steps.length > MANY ? this.#stepLines.seconds(step) : this.deviceSeconds(step);
    return steps.reduce(
      (sum, step) =>
        sum + Math.max(this.#hosted(seconds(step), phaseOf(step), step.logitRows), this.recordingSeconds(step)),
      begin + this.#costs.requestSeconds,
    );
  }

  /** Seconds the host takes to record a step. */
  recordingSeconds(step: BatchShape): number {
    return phaseOf(step) === 'decode' ? this.recordSeconds.decode : this.recordSeconds.prompts;
  }

  /** Seconds of a step's operations and messages. */
  deviceSeconds(batch: BatchShape): number {
    return this.parts(batch).reduce((sum, { count, seconds }) => sum + count * seconds, this.linkSeconds(batch));
  }

  /** Seconds until the first token of each of `batch` prompts that are processed together. */
  prefillSeconds(promptTokens: number, batch = 1, cachedTokens = 0): number {
    return this.stepsSeconds(this.prefillSteps(promptTokens, batch, cachedTokens));
  }

  /** Seconds of one decode step of `batch` sequences that each have `context` tokens in the cache. */
  decodeStepSeconds(context: number, batch = 1): number {
    return this.decodeSeconds(context, 1, batch);
  }

  /** Seconds of `steps` decode steps, the first of them with `context` tokens in the cache. */
  decodeSeconds(context: number, steps: number, batch = 1): number {
    if (steps <= 0) return 0;
    let line = this.#decodeLines.get(batch);
    if (line === undefined) this.#decodeLines.set(batch, (line = new DecodeLine(this, batch)));
    const { stretch = 1, seconds = 0, rowSeconds = 0 } = this.hardware.host?.steps?.next ?? {};
    const each = this.#hosted(line.seconds(context, steps) / steps, 'decode', batch);
    const device = steps * (stretch * each + seconds + rowSeconds * batch);
    return Math.max(device, steps * this.recordSeconds.decode);
  }

  /** The steps that prompts go through: one, or as many as chunks of tokens need. */
  prefillSteps(promptTokens: number, batch = 1, cachedTokens = 0): BatchShape[] {
    const steps: BatchShape[] = [];
    let sequences: { newTokens: number; context: number; prefill: true }[] = [];
    let [room, logitRows] = [this.prefillChunk, 0];
    const flush = () => {
      steps.push({ sequences, logitRows });
      [sequences, room, logitRows] = [[], this.prefillChunk, 0];
    };
    for (let sequence = 0; sequence < batch; sequence++) {
      for (let done = 0; done < promptTokens;) {
        const newTokens = Math.min(room, promptTokens - done);
        sequences.push({ newTokens, context: cachedTokens + done, prefill: true });
        done += newTokens;
        room -= newTokens;
        if (done === promptTokens) logitRows++;
        if (room === 0) flush();
      }
    }
    if (sequences.length > 0) flush();
    return steps;
  }

  /** What chips send each other in a step. */
  messages({ sequences }: BatchShape): Messages[] {
    const tokens = sequences.reduce((sum, { newTokens }) => sum + newTokens, 0);
    const { largeMessages } = this.#costs;
    const ways = { link: this.hardware.link, largeMessages };
    return messagesOf(tokens, this.model, this.layout, ways, this.precision.activationBytes);
  }

  /** Seconds of a step in which chips wait for messages. */
  linkSeconds(batch: BatchShape): number {
    if (this.chips === 1) return 0;
    return this.messages(batch).reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  }

  /** A step's seconds on the device with what the engine's host adds to it. */
  #hosted(deviceSeconds: number, phase: Phase, logitRows: number): number {
    if (this.engine.id === 'none') return deviceSeconds;
    const { stretch, promptStretch, promptStep = 1, rowSeconds } = this.#costs;
    const doublings = Math.log2(this.shards);
    const device = deviceSeconds * (phase === 'decode' ? stretch : promptStretch);
    const launching = this.model.layers * this.#costs.layerSeconds * (1 + this.#costs.layerDoubling * doublings);
    const stepSeconds = this.#costs.stepSeconds + this.#costs.stepDoubling * doublings;
    const whole = softMaximum(device, launching, 2) + stepSeconds + logitRows * rowSeconds;
    return phase === 'decode' ? whole : promptStep * whole;
  }

  #shard(operation: Operation): Operation {
    return shard(operation, this.shards, this.model.kvShards, this.precision);
  }
}

/** What an engine's kernels need for a model. */
function kernelsOf({ groupedReads, scoreBytes, ...costs }: EngineCosts, model: Model): EngineKernels {
  const grouped = model.kvShards < model.heads;
  return {
    ...costs,
    groupedReads: grouped ? groupedReads : 1,
    scoreBytesPerFlop: scoreBytes === undefined ? 0 : scoreBytes / flopsOfScore(model),
  };
}

const PLAIN: Precision = { weightBytes: 2, kvBytes: 2, activationBytes: 2 };

/** FLOPs of attention for a query, a key and a head. */
function flopsOfScore(model: Model): number {
  const token: BatchShape = { sequences: [{ newTokens: 1, context: 0, prefill: true }], logitRows: 1 };
  const operations = model.segments(token, PLAIN).flatMap(({ operations: each }) => each);
  return operations.find(({ kind }) => kind === 'attention')!.flops / model.heads;
}

/** What the host's clock shows of a step whose operations take `device` seconds. */
export function costed({ stretch, seconds, rowSeconds }: StepCosts, device: number, rows: number): number {
  return stretch * device + seconds + rowSeconds * rows;
}
