import { RidgepointError } from '../../../src/errors.js';
import type { HeadWorkName } from '../../../src/kernels/rope/kernel.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { familyOf, graphOf } from '../../../src/model/families/index.js';
import { layersOf, type Role, type Value } from '../../../src/model/graph.js';

/** A tensor of a model as Hugging Face names and shapes it. */
export interface LlamaTensor {
  /** What it is in the network; exporters decide names, order of rows and stored type by it. */
  readonly role: Role;
  /** For example `model.layers.3.mlp.up_proj.weight`. */
  readonly name: string;
  /** Undefined outside the layers. */
  readonly layer: number | undefined;
  /** [outputs, inputs], or [size] of a norm's scale or a bias. */
  readonly shape: readonly number[];
}

/** All tensors of a model in the order the forward pass uses them; the head only where it is not the embedding. */
export function llamaTensors(config: ModelConfig): LlamaTensor[] {
  const { tensors } = familyOf(config);
  const graph = graphOf(config);
  const of = (values: readonly Value[], layer?: number): LlamaTensor[] => {
    const prefix = layer === undefined ? '' : `model.layers.${layer}.`;
    const tensor = (role: Role, ...shape: number[]): LlamaTensor => {
      return { role, name: `${prefix}${tensors[role]}`, layer, shape };
    };
    return values.flatMap((value) => {
      if (value.op === 'norm') return [tensor(value.scale, value.width)];
      if (value.op === 'heads') return value.params.map(({ role, rows }) => tensor(role, rows));
      if (value.op !== 'project') return [];
      return value.from.flatMap(({ role, rows, bias }) => [
        tensor(role, rows, value.k),
        ...(bias === undefined ? [] : [tensor(bias, rows)]),
      ]);
    });
  };
  const embedding = { role: 'embedding', name: tensors.embedding, layer: undefined } as const;
  const after = of(graph.after).filter(({ role }) => role !== 'head' || !config.tiedEmbeddings);
  return [{ ...embedding, shape: [config.vocab, config.hidden] }, ...layersOf(graph).flatMap(of), ...after];
}

/** What is done to heads that all exporters write. */
const WRITTEN: readonly HeadWorkName[] = ['norm'];

/** @throws RidgepointError where a model computes what the exporters do not write */
export function refuseUnwritten(config: ModelConfig): void {
  const refuse = (what: string): never => {
    throw new RidgepointError('usage', `config.json: ${what} cannot be exported; take a model without it`);
  };
  if (config.ropeScaling.type !== 'none') refuse('"rope_scaling"');
  const works = layersOf(graphOf(config)).flatMap((values) => values.filter((each) => each.op === 'heads'));
  const unknown = works.find(({ work }) => !WRITTEN.includes(work));
  if (unknown !== undefined) refuse(`what ${familyOf(config).title} does to heads`);
}
