import type { Capabilities } from '../gpu/capabilities.js';
import type { PipelineSpec } from '../gpu/pipelines.js';
import { DECODE_TILE, type HeadShape, type KvStored } from '../kernels/attention/shape.js';
import { usualSplitTokens } from '../kernels/attention/decode.js';
import { attentionVariants, withWindow } from '../kernels/attention/kernel.js';
import {
  chosenFor,
  defaultMatmulChoice,
  FEW_SEQUENCES,
  orderOf,
  PROMPT_ROWS,
  runnableMatmuls,
} from '../kernels/matmul/choice.js';
import { matmulVariants } from '../kernels/matmul/kernel.js';
import { promptRows } from '../kernels/matmul/prompt-rows.js';
import { layoutOn, variantsFor } from '../kernels/matmul/trial.js';
import { storedBytes, type StoredDtype } from '../kernels/weights.js';
import type { ModelConfig } from '../model/config.js';
import type { DistinctLayers } from '../model/layer-formats.js';
import { operationShapes } from '../model/operations.js';
import { storedName } from '../model/matrix-names.js';
import type { ActivationDtype } from '../quantization/activations.js';
import type { Case, Contest, Winners } from './contest.js';
import { fingerprint } from './fingerprint.js';

/** Tokens that a token sees, itself included; undefined where it sees all before it. */
type Window = number | undefined;

/** What a contest is about, for whoever measures it. */
export type Subject =
  | {
      readonly kind: 'matmul';
      readonly phase: 'decode' | 'prefill';
      readonly n: number;
      readonly k: number;
      readonly dtype: StoredDtype;
      /** What kernels of prompts multiply. */
      readonly activations: ActivationDtype;
    }
  | {
      readonly kind: 'attention';
      readonly phase: 'decode' | 'prefill';
      readonly shape: HeadShape;
      readonly kv: KvStored;
      /** Rows of prompts are written in f16, as the products behind it read them. */
      readonly half: boolean;
      /** Of the kinds of layers that the model has: a variant must be right with each, and is timed with the first. */
      readonly windows: readonly Window[];
    };

export interface ModelContest extends Contest {
  readonly subject: Subject;
}

/** The contests of a model, the most important first. */
export interface ContestList {
  readonly contests: readonly ModelContest[];
  readonly shape: HeadShape;
  readonly kv: KvStored;
  readonly windows: readonly Window[];
  /** What prompts' projections multiply. */
  readonly activations: ActivationDtype;
  /** Which contests for few rows are the engine's. */
  readonly width: FewWidth;
  /** What matmuls that never see many rows would take. */
  readonly usualPrefill: { readonly winners: Winners; readonly tuned: boolean };
}

/** Kernels for few rows in an engine of few sequences, or of more, which may take others; a CPU driver takes the same. */
export type FewWidth = 'few' | 'batched';

/** @param activations of kernels for many rows */
export const matmulKey = (
  width: FewWidth | 'many',
  n: number,
  k: number,
  dtype: StoredDtype,
  activations: ActivationDtype = 'f32',
): string => `matmul ${width} ${dtype}${activations === 'f32' ? '' : ` by ${activations}`} ${n}x${k}`;

export const attentionKey = (
  phase: 'decode' | 'prefill',
  { shape: { heads, kvHeads, headDim }, kv, windows }: Pick<ContestList, 'shape' | 'kv' | 'windows'>,
): string => {
  const [window, other] = windows;
  const some = other === undefined ? '' : ` window ${other} in some layers`;
  return `attention ${phase} ${kv} ${heads}/${kvHeads}x${headDim}${window === undefined ? some : ` window ${window}`}`;
};

/** The windows of a model's layers, that of none first. */
const windowsOf = ({ window, windowed }: ModelConfig): Window[] =>
  window === undefined || windowed === undefined ? [window] : [undefined, window];

/** A way to run decode attention: a variant and the tokens of a part. */
const withParts = (name: string, splitTokens: number): string => `${name}/${splitTokens}`;

export function parseParts(candidate: string): { name: string; splitTokens: number } {
  const at = candidate.lastIndexOf('/');
  return { name: candidate.slice(0, at), splitTokens: Number(candidate.slice(at + 1)) };
}

/** Sizes that are measured; small enough on a CPU driver that one launch takes a fraction of a second. */
export function tuningSizes(isCpu: boolean) {
  return isCpu
    ? {
        few: [1, 2, 4, 8],
        batched: [1, 2, 4, 8],
        many: [64],
        decode: [
          { rows: 1, context: 511 },
          { rows: 1, context: 1535 },
          { rows: 4, context: 511 },
        ],
        prefill: { rows: 64, context: 64 },
      }
    : {
        few: [1, 2, 4, 8],
        batched: [1, 2, 4, 8, 16, 32],
        // The longest first: what is far behind there is not tried further.
        many: [...PROMPT_ROWS].reverse(),
        decode: [
          { rows: 1, context: 511 },
          { rows: 1, context: 2047 },
          { rows: 8, context: 1023 },
        ],
        prefill: { rows: 512, context: 512 },
      };
}

/** One sequence alone is what most people run. */
const weightOf = (rows: number): number => (rows === 1 ? 2 : 1);

/** How a model is held, as far as kernels differ by it. */
export interface ContestFormats {
  readonly formats: {
    readonly dtype: StoredDtype;
    readonly head: StoredDtype;
    readonly activations?: ActivationDtype;
    /** Layers with formats of their own; all have `dtype` when absent. */
    readonly distinct?: DistinctLayers;
  };
  /**
   * Sequences that may decode together: where that is more than a few, kernels for few rows have a contest of their own,
   * of which one order of sums serves all numbers of rows.
   */
  readonly sequences: number;
  readonly kv: KvStored;
}

/** What contests are judged by on a GPU: what it can do, and the composed text of a shader, for the fingerprints. */
export interface ContestGround {
  readonly capabilities: Capabilities;
  readonly pipelines: { source(spec: PipelineSpec): string };
}

export function contestsOf(
  config: ModelConfig,
  { formats, sequences, kv }: ContestFormats,
  { capabilities, pipelines }: ContestGround,
): ContestList {
  const { heads, kvHeads, headDim } = config;
  const shape = { heads, kvHeads, headDim };
  const windows = windowsOf(config);
  const sizes = tuningSizes(capabilities.isCpu);
  const width: FewWidth = capabilities.isCpu || sequences <= FEW_SEQUENCES ? 'few' : 'batched';
  const print = (variants: readonly (PipelineSpec & { name: string; order?: string })[], rest: unknown): string =>
    fingerprint([
      ...variants.flatMap((each) => [each.name, orderOf(each), pipelines.source(each)]),
      JSON.stringify(rest),
    ]);
  const { activations = 'f32' } = formats;
  const familyOf = (dtype: StoredDtype, activations: ActivationDtype) => {
    const layout = layoutOn({ capabilities }, dtype);
    const rows = promptRows(activations, layout, capabilities);
    const all = matmulVariants(layout, capabilities, rows);
    const runnable = runnableMatmuls(all, capabilities);
    const usual = (n: number, k: number) => defaultMatmulChoice(runnable, { n, k, sequences });
    const prints = {
      decode: (n: number, k: number): string => print(runnable.decode, [usual(n, k).decode, sizes[width]]),
      prefill: (n: number, k: number): string => print(runnable.prefill, [usual(n, k).prefill, sizes.many]),
    };
    return { rows, runnable, usual, prints };
  };
  const families = new Map<string, ReturnType<typeof familyOf>>();
  const family = (dtype: StoredDtype, activations: ActivationDtype): ReturnType<typeof familyOf> => {
    const key = `${dtype} ${activations}`;
    const found = families.get(key) ?? familyOf(dtype, activations);
    families.set(key, found);
    return found;
  };
  // The head has no rows of prompts.
  const of = (dtype: StoredDtype, prefill: boolean): ReturnType<typeof familyOf> =>
    family(dtype, prefill ? activations : 'f32');

  const matmuls = new Map<string, { n: number; k: number; dtype: StoredDtype; bytes: number; prefill: boolean }>();
  const { layers: kinds, formats: kept } = formats.distinct ?? { layers: 1, formats: [] };
  const own = new Map(kept);
  const distinct = { ...config, layers: kinds };
  for (const { kind, part, n, k, layer, rows } of operationShapes(distinct)) {
    if (kind !== 'matmul') continue;
    const dtype = layer === undefined ? formats.head : (own.get(storedName(distinct, layer, part)) ?? formats.dtype);
    const key = `${n} ${k} ${dtype}`;
    const each = matmuls.get(key) ?? { n, k, dtype, bytes: 0, prefill: false };
    const bytes = (layer === undefined ? 1 : config.layers / kinds) * storedBytes(n, k, { dtype, lanes: 1 });
    matmuls.set(key, { ...each, bytes: each.bytes + bytes, prefill: each.prefill || rows === 'tokens' });
  }
  // What a decode step reads most of matters most, and so does a prompt's largest product.
  const ordered = [...matmuls.values()].sort((a, b) => b.bytes - a.bytes);
  const decodes = ordered.map(({ n, k, dtype, prefill }): ModelContest => {
    const { runnable, usual, prints } = of(dtype, prefill);
    const { decode } = usual(n, k);
    const cases = sizes[width].map((rows): Case => {
      const own = chosenFor(decode, rows);
      const names = variantsFor(runnable, rows).decode.map(({ name }) => name);
      return { id: String(rows), weight: weightOf(rows), usual: own, names: [...new Set([own, ...names])] };
    });
    return {
      key: matmulKey(width, n, k, dtype),
      subject: { kind: 'matmul', phase: 'decode', n, k, dtype, activations: 'f32' },
      candidates: runnable.decode.map((variant) => ({ name: variant.name, order: orderOf(variant) })),
      cases,
      fingerprint: prints.decode(n, k),
    };
  });
  const prefills = ordered
    .filter(({ prefill }) => prefill)
    .map(({ n, k, dtype }): ModelContest => {
      const { runnable, usual, prints } = of(dtype, true);
      const names = runnable.prefill.map(({ name }) => name);
      const { prefill } = usual(n, k);
      return {
        key: matmulKey('many', n, k, dtype, activations),
        subject: { kind: 'matmul', phase: 'prefill', n, k, dtype, activations },
        candidates: runnable.prefill.map((variant) => ({ name: variant.name, order: orderOf(variant) })),
        cases: sizes.many.map((rows) => ({ id: String(rows), weight: 1, usual: chosenFor(prefill, rows), names })),
        fingerprint: prints.prefill(n, k),
      };
    });
  // Rows go into every matrix, so they are what all of them can take.
  const halfRows = ordered.every(({ prefill, dtype }) => !prefill || family(dtype, activations).rows === 'f16');
  const attention = (['decode', 'prefill'] as const).map((phase): ModelContest => {
    const half = phase === 'prefill' && halfRows;
    const variants = attentionVariants(shape, kv, capabilities, half)[phase].filter((each) => each.runs(capabilities));
    const split = usualSplitTokens(capabilities);
    const splits = [1, 2, 4, 8].map((tiles) => tiles * DECODE_TILE);
    const names =
      phase === 'prefill'
        ? variants.map(({ name }) => name)
        : variants.flatMap(({ name }) => splits.map((each) => withParts(name, each)));
    const own = phase === 'prefill' ? names[0] : withParts(variants[0].name, split);
    const cases = phase === 'prefill' ? [sizes.prefill] : sizes.decode;
    return {
      key: attentionKey(phase, { shape, kv, windows }),
      subject: { kind: 'attention', phase, shape, kv, half, windows },
      candidates: names.map((name) => ({ name, order: name })),
      cases: cases.map(({ rows, context }) => ({
        id: `${rows} after ${context}`,
        weight: weightOf(rows),
        usual: own,
        names,
      })),
      fingerprint: print(
        windows.flatMap((window) => variants.map((each) => withWindow(each, window))),
        [names, own, cases],
      ),
    };
  });
  const matrices = interleave(decodes, prefills);
  const anyTile = of(formats.head, false).usual(config.vocab, config.hidden).prefill;
  return {
    contests: [...matrices.slice(0, 4), ...attention, ...matrices.slice(4)],
    shape,
    kv,
    windows,
    activations,
    width,
    usualPrefill: { winners: Object.fromEntries(anyTile.map(({ rows, variant }) => [rows, variant])), tuned: false },
  };
}

/** Alternates, so that a short budget serves both phases. */
function interleave<T>(a: readonly T[], b: readonly T[]): T[] {
  return a.flatMap((each, i) => [each, ...b.slice(i, i + 1)]);
}
