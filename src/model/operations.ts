import type { ActivationDtype } from '../quantization/activations.js';
import type { ModelConfig } from './config.js';
import { graphOf } from './families/index.js';
import { fuse, type Launch, type OperationKind } from './fuse.js';
import { layersOf } from './graph.js';

/** Which workload a step is: many new tokens a sequence, or one. */
export type Phase = 'prefill' | 'decode' | 'mixed';

export type { OperationKind };

/** One part of a batch: `newTokens` rows of a sequence that already has `context` tokens in the cache. */
export interface BatchSequence {
  readonly newTokens: number;
  readonly context: number;
  /** Whether the tokens are a prompt's; when absent, one token is taken for a decoding sequence's and more for a prompt. */
  readonly prefill?: boolean;
}

/** What a step computes, as far as its cost depends on it. */
export interface BatchShape {
  readonly sequences: readonly BatchSequence[];
  /** Rows whose logits are wanted; one a sequence that gets a token. */
  readonly logitRows: number;
}

/** Bytes a number takes where it is stored. Weights and activations have precisions of their own. */
export interface Precision {
  readonly weightBytes: number;
  /** Of embedding and `lm_head`; `weightBytes` when absent. */
  readonly headBytes?: number;
  readonly kvBytes: number;
  /** Of a scale that the cache has for each head of a token; none when absent. */
  readonly kvScaleBytes?: number;
  readonly activationBytes: number;
  /**
   * Of what projections of prompts multiply, where that is not `activationBytes`: 1 where activations are quantised for
   * them, 2 where norms, attention and gates write rows of prompts in f16.
   */
  readonly productBytes?: 1 | 2;
}

/** An operation of the forward pass, before a batch gives it a size: a launch in its place. */
export interface OperationShape extends Launch {
  /** For example `layers.3.gate_up`; recorded, profiled and predicted under this name. */
  readonly name: string;
  /** Undefined for what stands before and after the layers. */
  readonly layer: number | undefined;
}

/** An operation with its cost for one batch. Bytes are what must cross device memory at least once. */
export interface Operation extends OperationShape {
  readonly phase: Phase;
  /** Rows of this step. */
  readonly m: number;
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number;
  readonly weightBytes: number;
  /** Activations read and written. */
  readonly activationBytes: number;
  readonly kvReadBytes: number;
  readonly kvWriteBytes: number;
}

/** What operations there are depends on, beside the model. */
export interface Variations {
  /** Keys and values are quantised, which takes a launch of its own for decoding sequences too. */
  readonly quantizedKv?: boolean;
  /** What prompts' products multiply; under int8 what no norm writes is quantised first. */
  readonly activations?: ActivationDtype;
  /** A layer of each segment, numbered by its segment, in place of all. */
  readonly once?: boolean;
}

const lists = new WeakMap<ModelConfig, Map<string, readonly OperationShape[]>>();

/**
 * The operations of a forward pass in the order they run. The engine records this list, the profiler reports under its
 * names, and the predictor prices it.
 */
export function operationShapes(config: ModelConfig, variations: Variations = {}): readonly OperationShape[] {
  const { quantizedKv = false, activations = 'f32', once = false } = variations;
  const known = lists.get(config) ?? new Map<string, readonly OperationShape[]>();
  lists.set(config, known);
  const key = `${quantizedKv} ${activations} ${once}`;
  let list = known.get(key);
  if (list === undefined) {
    const options = { headDim: config.headDim, quantizedKv, quantizes: activations === 'int8' };
    const graph = graphOf(config);
    const layers = once ? graph.segments.map(({ layer }) => layer) : layersOf(graph);
    const outside = (launch: Launch): OperationShape => ({ ...launch, name: launch.part, layer: undefined });
    list = [
      ...fuse(graph.before, false, options).map(outside),
      ...layers.flatMap((values, layer) =>
        fuse(values, true, options).map((launch) => ({ ...launch, name: `layers.${layer}.${launch.part}`, layer })),
      ),
      ...fuse(graph.after, false, options).map(outside),
    ];
    known.set(key, list);
  }
  return list;
}

/** Whether a part of a batch is a prompt's, for which kernels for many rows are used. */
export function isPrefill({ newTokens, prefill = newTokens > 1 }: BatchSequence): boolean {
  return prefill;
}

export function phaseOf(batch: BatchShape): Phase {
  let decoding = 0;
  for (const sequence of batch.sequences) if (!isPrefill(sequence)) decoding++;
  if (decoding === batch.sequences.length) return 'decode';
  return decoding === 0 ? 'prefill' : 'mixed';
}
