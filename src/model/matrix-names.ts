import type { ModelConfig } from './config.js';
import { familyOf, graphOf } from './families/index.js';
import { isProject, layersOf, type Project } from './graph.js';

/** A layer's matrix as `modelMatrices` names it. @param part for example `mlp.gate_up` */
export const matrixName = (layer: number, part: string): string => `model.layers.${layer}.${part}`;

/** The name of a layer's matrix within its layer: its tensor's, or of several, what they have in common with its own. */
export function partName(config: ModelConfig, { name, from }: Project): string {
  const tensor = familyOf(config).tensors[from[0].role];
  return from.length === 1 ? tensor : `${tensor.slice(0, tensor.indexOf('.'))}.${name}`;
}

/** The matrix of a layer's product, under its name in a checkpoint. @param part the operation's name in its layer */
export function storedName(config: ModelConfig, layer: number, part: string): string {
  const project = layersOf(graphOf(config))
    [layer].filter(isProject)
    .find(({ name }) => name === part);
  if (project === undefined) throw new Error(`layer ${layer} has no product ${part}`);
  return matrixName(layer, partName(config, project));
}
