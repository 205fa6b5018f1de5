import type { Operation, OperationKind, Phase } from '../../model/operations.js';
import type { ActivationDtype } from '../../quantization/activations.js';
import type { Efficiency, KernelFamily } from '../hardware/families.js';
import type { EngineCosts } from '../hardware/engines.js';
import { efficienciesOf, efficiencyFamilyOf, kernelPhaseOf, type KnownEfficiencies } from '../hardware/efficiency.js';
import type { Efficiencies, Hardware } from '../hardware/hardware.js';
import { softMaximum } from './overlap.js';
import type { PricedWeightDtype } from '../hardware/precision.js';
import { unpackingOf } from '../hardware/unpacking.js';
import { roofOf, type ComputeDtype, type KernelSet, type Roof } from '../hardware/roof.js';

export interface PriceOptions {
  /** Plain shader code on a measured machine, whose calibration is of the engine's own kernels; else matrix units. */
  readonly kernels?: KernelSet;
  /** What products are computed in: by default f16 on matrix units and f32 in shader code, as the engine does. */
  readonly compute?: ComputeDtype;
  /**
   * What the engine's projections of prompts multiply. Under int8 they are computed in int8, and what decodes or attends
   * in what it usually is; by default int8 where shader code computes in it, since that is how the engine does so.
   */
  readonly activations?: ActivationDtype;
  /** How weights are stored; libraries' kernels lose something where they widen them. */
  readonly weights?: PricedWeightDtype;
  /** Whose kernels run, where they are not those that efficiencies were fitted to. */
  readonly engineKernels?: EngineKernels;
  /** Used in place of measured and default ones. */
  readonly efficiencies?: Partial<Efficiencies>;
}

/** How an engine's kernels differ from libraries'. */
export interface EngineKernels extends Partial<
  Pick<
    EngineCosts,
    'promptCompute' | 'promptWatts' | 'groupedReads' | 'efficiencies' | 'decodeAttentionFlops' | 'fewRowsBytes'
  >
> {
  /** Bytes of scores for a FLOP of attention over prompts, written and read beside keys and values. */
  readonly scoreBytesPerFlop?: number;
}

/** What an operation costs, and why. */
export interface Price {
  /** Seconds if only compute bound, at the efficiency reached. */
  readonly computeSeconds: number;
  /** Seconds if only memory bound. */
  readonly memorySeconds: number;
  readonly launchSeconds: number;
  /** ((computeSeconds^p + memorySeconds^p)^(1/p)) + launchSeconds */
  readonly seconds: number;
  /** The largest of the three. */
  readonly bottleneck: 'compute' | 'memory' | 'launch';
  /** FLOPs per byte. */
  readonly intensity: number;
  readonly family: KernelFamily;
  readonly roof: Roof;
}

type Cost = Pick<Operation, 'flops' | 'weightBytes' | 'activationBytes' | 'kvReadBytes' | 'kvWriteBytes'>;

export const bytesOf = ({ weightBytes, activationBytes, kvReadBytes, kvWriteBytes }: Cost): number =>
  weightBytes + activationBytes + kvReadBytes + kvWriteBytes;

interface Rates extends Efficiency {
  readonly family: KernelFamily;
  readonly roof: Roof;
  /** FLOP/s and bytes/s that are reached. */
  readonly flops: number;
  readonly bytes: number;
  /** Bytes moved beside the operation's own, for each of its FLOPs. */
  readonly scoreBytes: number;
}

/** Seconds of an operation that is bound by arithmetic alone. */
function computeSeconds({ kind, m, n, flops }: Operation, { flops: rate, outputFlops = 0 }: Rates): number {
  return (flops + (kind === 'matmul' ? m * n * outputFlops : 0)) / rate;
}

/** Prices operations on one piece of hardware; ceilings and efficiencies are looked up once. */
export class Pricer {
  readonly kernels: KernelSet;
  readonly compute: ComputeDtype;
  readonly activations: ActivationDtype;
  readonly efficiencies: KnownEfficiencies;
  /** Of all but projections of prompts. */
  readonly #beside: ComputeDtype;
  readonly #weights: PricedWeightDtype;
  readonly #engine: EngineKernels;
  readonly #rates = new Map<OperationKind, Record<Phase, Rates>>();

  constructor(
    readonly hardware: Hardware,
    options: PriceOptions = {},
  ) {
    this.kernels = options.kernels ?? (hardware.kind === 'measured' ? 'shader' : 'tensor');
    const usual = this.kernels === 'tensor' ? 'f16' : 'f32';
    this.#weights = options.weights ?? 'f16';
    this.#engine = options.engineKernels ?? {};
    this.compute = options.compute ?? (options.activations === 'int8' ? 'int8' : usual);
    const engine = this.kernels === 'shader' && this.compute === 'int8';
    this.activations = options.activations ?? (engine ? 'int8' : 'f32');
    this.#beside = this.activations === 'int8' ? usual : this.compute;
    const { efficiencies } = this.#engine;
    this.efficiencies = efficienciesOf(hardware, this.kernels, options.efficiencies, efficiencies);
  }

  /** The ceiling of matmuls, which shares of peak are counted from. */
  get peak(): Roof {
    return roofOf(this.hardware, 'matmul', this.kernels, this.compute);
  }

  /** Seconds of an operation alone, for sums over many. */
  seconds(operation: Operation): number {
    if (operation.m === 0) return 0;
    const rates = this.#ratesOf(operation);
    const moved = bytesOf(operation) + operation.flops * rates.scoreBytes;
    return softMaximum(computeSeconds(operation, rates), moved / rates.bytes, rates.overlap) + rates.launchSeconds;
  }

  price(operation: Operation): Price {
    const rates = this.#ratesOf(operation);
    const { family, roof, bytes, scoreBytes, launchSeconds } = rates;
    const moved = bytesOf(operation);
    const launch = operation.m === 0 ? 0 : launchSeconds;
    const computing = computeSeconds(operation, rates);
    const memorySeconds = (moved + operation.flops * scoreBytes) / bytes;
    const slowest = Math.max(computing, memorySeconds, launch);
    return {
      computeSeconds: computing,
      memorySeconds,
      launchSeconds: launch,
      seconds: this.seconds(operation),
      bottleneck: slowest === memorySeconds ? 'memory' : slowest === computing ? 'compute' : 'launch',
      intensity: moved > 0 ? operation.flops / moved : 0,
      family,
      roof,
    };
  }

  #ratesOf(operation: Operation): Rates {
    const { kind } = operation;
    const phase = this.kernels === 'shader' ? kernelPhaseOf(operation) : operation.phase;
    let byPhase = this.#rates.get(kind);
    if (byPhase === undefined) {
      byPhase = {
        prefill: this.#look(kind, 'prefill'),
        decode: this.#look(kind, 'decode'),
        mixed: this.#look(kind, 'mixed'),
      };
      this.#rates.set(kind, byPhase);
    }
    return byPhase[phase];
  }

  #look(kind: OperationKind, phase: Phase): Rates {
    const family = efficiencyFamilyOf(kind, phase);
    const efficiency = this.efficiencies.values[family];
    const compute = kind === 'matmul' && phase !== 'decode' ? this.compute : this.#beside;
    const roof = roofOf(this.hardware, kind, this.kernels, compute);
    // The engine's own kernels are calibrated with what they unpack.
    const unpacks = kind === 'matmul' && this.kernels === 'tensor';
    const left = unpacks ? unpackingOf(this.hardware.class, this.#weights, compute) : { compute: 1, bandwidth: 1 };
    const { promptCompute = 1, promptWatts = 0, groupedReads = 1, scoreBytesPerFlop = 0, ...most } = this.#engine;
    const powering = (promptWatts * roof.rate) / 1e12 / (this.hardware.tdpWatts ?? Infinity);
    const computing = family === 'matmul-many' ? Math.max(promptCompute, powering) : 1;
    const reading = family === 'attention-decode' ? groupedReads : 1;
    const { decodeAttentionFlops = Infinity, fewRowsBytes = Infinity } = most;
    const flops = (roof.rate * efficiency.compute * left.compute) / computing;
    const bytes = (this.hardware.bandwidth * efficiency.bandwidth * left.bandwidth) / reading;
    return {
      ...efficiency,
      family,
      roof,
      flops: family === 'attention-decode' ? Math.min(flops, decodeAttentionFlops) : flops,
      bytes: family === 'matmul-few' ? Math.min(bytes, fewRowsBytes) : bytes,
      scoreBytes: family === 'attention-prefill' ? scoreBytesPerFlop : 0,
    };
  }
}

/** The cost of one operation; for many on the same hardware make a `Pricer`. */
export function price(operation: Operation, hardware: Hardware, options: PriceOptions = {}): Price {
  return new Pricer(hardware, options).price(operation);
}
