import type { Attend, Gate, HeadWork, Norm, NormVector, Project, Role, Stream, Value } from './graph.js';
import { vectorsOf } from './graph.js';

export type OperationKind = 'embed' | 'norm' | 'quantise' | 'matmul' | 'rope' | 'attention' | 'sample';

/** A launch of the forward pass, before it has a layer and a batch: a value of the graph with what is done beside it. */
export interface Launch {
  /** Its name within a layer: `gate_up`, `attention`, ... */
  readonly part: string;
  readonly kind: OperationKind;
  /**
   * Rows of the operation: all tokens of the step, only the prompts', or only those whose logits are wanted. What takes
   * a launch of its own for prompts is part of the product before or after it for decoding sequences; the last norm is
   * part of `lm_head` for all.
   */
  readonly rows: 'tokens' | 'prompts' | 'logits';
  /** For a matmul: outputs and inputs a row, [n, k]; else the width it works on, in `k`. */
  readonly n: number;
  readonly k: number;
  /** What chips that share it each have; `heads` of what works on heads one by one, `whole` of what all do in full. */
  readonly split: 'outputs' | 'inputs' | 'heads' | 'whole';
  readonly reads?: Stream;
  readonly writes?: Stream;
  /** Its result is added to what is there. */
  readonly adds?: boolean;
  /** Pairs of its outputs are joined. */
  readonly gates?: Gate['by'];
  /** The scale of a norm. */
  readonly scale?: Role;
  /** The norm that a product does itself on rows of decoding sequences, or on all it has. */
  readonly normed?: { readonly name: string; readonly scale: Role; readonly rows: 'decode' | 'all' };
  /** A product that rotates and files rows of decoding sequences itself. */
  readonly files?: boolean;
  /** Numbers added to queries, keys and values, or multiplied with them, where they are rotated and filed. */
  readonly vector?: NormVector;
  /** What else is done to heads before they are rotated. */
  readonly works?: readonly HeadWork[];
  /** Tokens that a token sees, itself included. */
  readonly window?: number;
}

export interface FuseOptions {
  readonly headDim: number;
  /** Keys and values are quantised, which wants whole heads. */
  readonly quantizedKv: boolean;
  /** Products of prompts multiply 8 bits, which norms write and other rows are quantised to. */
  readonly quantizes: boolean;
}

/** The values that a launch can do beside a product, in the order they come. */
interface Around {
  readonly norm?: Norm;
  readonly project: Project;
  readonly gate?: Gate;
}

/**
 * Rewrites values of a graph as launches. Products take in what stands beside them: a norm before them on rows of
 * decoding sequences (before the head on all), a gate behind them always; and the rotation and the way into the cache on
 * rows of decoding sequences, but where a head must be seen whole, to be worked on or quantised.
 *
 * @param layered whether they are a layer's, whose prompts have launches of their own
 */
export function fuse(values: readonly Value[], layered: boolean, options: FuseOptions): Launch[] {
  const vectors = vectorsOf(values, options.headDim);
  const list: Launch[] = [];
  let pending: Norm | undefined;
  let works: readonly HeadWork[] = [];
  let vector: NormVector | undefined;
  values.forEach((value, i) => {
    switch (value.op) {
      case 'embed':
        list.push({ ...wide(value.name, 'embed', value.width), rows: 'tokens', split: 'whole', writes: 'residual' });
        break;
      case 'norm': {
        pending = value;
        vector = vectors.find(({ norm }) => norm === value);
        if (!layered) break;
        const { name, width, scale } = value;
        list.push({ ...wide(name, 'norm', width), rows: 'prompts', split: 'whole', scale, writes: 'normed' });
        break;
      }
      case 'project': {
        const next = values[i + 1];
        if (options.quantizes && value.reads !== 'normed') list.push(quantized(value));
        const around = { norm: pending, project: value, gate: next?.op === 'gate' ? next : undefined };
        list.push(product(around, layered));
        pending = undefined;
        break;
      }
      case 'gate':
        break;
      case 'heads':
        works = [...works, value];
        break;
      case 'rotate': {
        const before = list[list.length - 1];
        const fused = !options.quantizedKv && works.length === 0;
        const constant = vector !== undefined && Object.keys(vector.constants).length > 0 ? { vector } : {};
        if (fused) list[list.length - 1] = { ...before, files: true, ...constant };
        list.push({
          ...{
            ...wide(value.name, 'rope', before.n),
            rows: fused ? 'prompts' : 'tokens',
            split: 'heads',
            reads: 'qkv',
          },
          ...constant,
          ...(works.length === 0 ? {} : { works }),
        });
        works = [];
        break;
      }
      case 'attend':
        list.push(attention(value, values));
        break;
      case 'sample':
        list.push({ part: value.name, kind: 'sample', rows: 'logits', n: 1, k: value.width, split: 'outputs' });
    }
  });
  return list;
}

const wide = (part: string, kind: OperationKind, width: number) => ({ part, kind, n: width, k: width });

/** What quantises the rows that a product reads, named after the half of the layer it is in. */
function quantized({ reads, k }: Project): Launch {
  const part = reads === 'attended' ? 'attn_quantise' : 'mlp_quantise';
  return { ...wide(part, 'quantise', k), rows: 'prompts', split: 'whole', reads };
}

function product({ norm, project, gate }: Around, layered: boolean): Launch {
  const { name: part, n, k, reads, writes, split } = project;
  return {
    ...{ part, kind: 'matmul', rows: layered ? 'tokens' : 'logits', n, k, split, reads, writes },
    ...(writes === 'residual' ? { adds: true } : {}),
    ...(gate === undefined ? {} : { gates: gate.by }),
    ...(norm === undefined
      ? {}
      : { normed: { name: norm.name, scale: norm.scale, rows: layered ? 'decode' : 'all' } as const }),
  };
}

function attention({ name, window }: Attend, values: readonly Value[]): Launch {
  const reader = values.find((each): each is Project => each.op === 'project' && each.reads === 'attended');
  if (reader === undefined) throw new Error(`nothing reads what ${name} makes`);
  return {
    ...{ ...wide(name, 'attention', reader.k), rows: 'tokens', split: 'heads', reads: 'qkv', writes: 'attended' },
    ...(window === undefined ? {} : { window }),
  };
}
