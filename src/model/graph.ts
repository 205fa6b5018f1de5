import type { HeadWorkName } from '../kernels/rope/kernel.js';
import type { ModelConfig } from './config.js';

/** What a tensor is in a model, `query`; a family maps it to the name it has in a checkpoint. */
export type Role = string;

/** Rows of numbers that pass between the values of a graph. */
export type Stream = 'residual' | 'normed' | 'qkv' | 'attended' | 'gated' | 'logits';

/** RMSNorm of the residual stream. */
export interface Norm {
  readonly op: 'norm';
  readonly name: string;
  readonly width: number;
  readonly scale: Role;
}

/** A tensor of outputs that a product multiplies with. */
export interface Source {
  readonly role: Role;
  readonly rows: number;
  /** Heads that are rotated: the two halves of a rotary pair become neighbours when they are loaded. */
  readonly rotates?: boolean;
  /** Added to its outputs. */
  readonly bias?: Role;
}

/** A product with a matrix [n, k] that is made of the rows of one or more tensors. */
export interface Project {
  readonly op: 'project';
  readonly name: string;
  readonly from: readonly Source[];
  /** How the rows of several tensors lie: one after the other, or in turn. */
  readonly rows: 'stacked' | 'paired';
  readonly n: number;
  readonly k: number;
  readonly reads: Stream;
  readonly writes: Stream;
  /** What chips that share it each have: some of its outputs, or some of its inputs, whose sums they exchange. */
  readonly split: 'outputs' | 'inputs';
}

/**
 * What is done to heads of queries, keys and values before they are rotated and filed, which the kernel of rotations does
 * under its name: for all rows, with whole heads before it.
 */
export interface HeadWork {
  readonly op: 'heads';
  readonly work: HeadWorkName;
  /** Its vectors, one behind the other. */
  readonly params: readonly VectorPart[];
  /** FLOPs of a row. */
  readonly flops: number;
}

/** A vector beside a layer's matrices. */
export interface VectorPart {
  readonly role: Role;
  readonly rows: number;
  /** Of what is multiplied with or added to heads that rotate: their size, by which the vector is made to match. */
  readonly headDim?: number;
}

/** Rotary embedding of queries and keys; keys and values go into the cache. */
export interface Rotate {
  readonly op: 'rotate';
  readonly name: string;
}

/** Causal attention over the cache. */
export interface Attend {
  readonly op: 'attend';
  readonly name: string;
  /** Tokens that a token sees, itself included; all before it when absent. */
  readonly window?: number;
}

/** Pairs of neighbours joined: gate(first) * second. */
export interface Gate {
  readonly op: 'gate';
  readonly by: 'silu';
}

/** Rows of a table, by token. */
export interface Embed {
  readonly op: 'embed';
  readonly name: string;
  readonly from: Role;
  readonly width: number;
}

/** A token chosen by its logits. */
export interface Sample {
  readonly op: 'sample';
  readonly name: string;
  readonly width: number;
}

export type Value = Norm | Project | HeadWork | Rotate | Attend | Gate | Embed | Sample;

/** Layers that are equal, one after the other. */
export interface Segment {
  readonly count: number;
  readonly layer: readonly Value[];
}

/** A model from top to bottom. */
export interface ModelGraph {
  readonly before: readonly Value[];
  readonly segments: readonly Segment[];
  readonly after: readonly Value[];
}

export const norm = (name: string, width: number, scale: Role): Norm => ({ op: 'norm', name, width, scale });
export const rotate = (): Rotate => ({ op: 'rotate', name: 'rope_kv' });
export const gate = (by: Gate['by']): Gate => ({ op: 'gate', by });
export const embed = (width: number): Embed => ({ op: 'embed', name: 'embed', from: 'embedding', width });
export const sample = (width: number): Sample => ({ op: 'sample', name: 'sample', width });
export const attend = (window?: number): Attend => ({
  ...{ op: 'attend', name: 'attention' },
  ...(window === undefined ? {} : { window }),
});

export const isProject = (value: Value): value is Project => value.op === 'project';

/** A product; its outputs are those of its sources. @param k numbers of a row that is read */
export function project(
  name: string,
  from: readonly Source[],
  k: number,
  how: Pick<Project, 'reads' | 'writes' | 'split'> & Partial<Pick<Project, 'rows'>>,
): Project {
  return { op: 'project', name, from, n: from.reduce((sum, { rows }) => sum + rows, 0), k, rows: 'stacked', ...how };
}

/** Layers in order, equal neighbours as one segment. */
export function segmentsOf(config: ModelConfig, layerOf: (layer: number) => readonly Value[]): Segment[] {
  const segments: { count: number; layer: readonly Value[] }[] = [];
  let last: string | undefined;
  for (let i = 0; i < config.layers; i++) {
    const layer = layerOf(i);
    const text = JSON.stringify(layer);
    if (text === last) segments[segments.length - 1].count++;
    else segments.push({ count: 1, layer });
    last = text;
  }
  return segments;
}

/** The values of each layer, written out. */
export const layersOf = ({ segments }: ModelGraph): (readonly Value[])[] =>
  segments.flatMap(({ count, layer }) => Array.from({ length: count }, () => layer));

/** Where the numbers begin that are added to or multiplied with outputs of a layer, by what is done with them. */
export type RowConstants = Readonly<Partial<Record<'bias' | HeadWorkName, number>>>;

/** The vector of a norm: its scale, then the constants of what reads its result. Places and length are in numbers. */
export interface NormVector {
  readonly norm: Norm;
  /** A part that is added does not scale. */
  readonly parts: readonly (VectorPart & { readonly at: number; readonly adds?: boolean })[];
  readonly constants: RowConstants;
  readonly length: number;
}

const MULTIPLE = 32;
const padded = (count: number): number => Math.ceil(count / MULTIPLE) * MULTIPLE;

/**
 * The vectors of a list of values, a norm's each. Biases and the scales of heads lie behind the scale of the norm before
 * them, so that a launch that does all of it at once binds one buffer for them.
 */
export function vectorsOf(values: readonly Value[], headDim: number): NormVector[] {
  const vectors: NormVector[] = [];
  for (const value of values) {
    if (value.op === 'norm') {
      const parts = [{ role: value.scale, rows: value.width, at: 0 }];
      vectors.push({ norm: value, parts, constants: {}, length: padded(value.width) });
      continue;
    }
    const last = vectors.at(-1);
    if (last === undefined) continue;
    const behind = constantsOf(value, headDim);
    if (behind === undefined) continue;
    const at = last.length;
    let row = at;
    const parts = behind.params.flatMap(({ role, ...param }) => {
      const place = row;
      row += param.rows;
      return role === undefined ? [] : [{ ...param, role, at: place, ...(behind.name === 'bias' && { adds: true }) }];
    });
    vectors[vectors.length - 1] = {
      ...last,
      parts: [...last.parts, ...parts],
      constants: { ...last.constants, [behind.name]: at },
      length: at + padded(row - at),
    };
  }
  return vectors;
}

interface Behind {
  readonly name: keyof RowConstants;
  /** What has no role has a place, and nothing in it. */
  readonly params: readonly (Omit<VectorPart, 'role'> & { readonly role: Role | undefined })[];
}

/** What lies behind the scale of the norm before a value, if anything does. */
function constantsOf(value: Value, headDim: number): Behind | undefined {
  if (value.op === 'heads') return { name: value.work, params: value.params };
  if (value.op !== 'project' || value.from.every(({ bias }) => bias === undefined)) return undefined;
  return {
    name: 'bias',
    params: value.from.map(({ bias, rows, rotates }) => ({ role: bias, rows, ...(rotates ? { headDim } : {}) })),
  };
}
