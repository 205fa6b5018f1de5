import type { ModelConfig } from '../config.js';
import type { ModelGraph } from '../graph.js';
import type { Family } from './family.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';

export const FAMILIES = { llama, mistral, qwen2, qwen3 } as const satisfies Readonly<Record<string, Family>>;
export type FamilyName = keyof typeof FAMILIES;
export const FAMILY_NAMES = Object.keys(FAMILIES) as FamilyName[];

export const familyOf = ({ family }: Pick<ModelConfig, 'family'>): Family => FAMILIES[family];

const graphs = new WeakMap<ModelConfig, ModelGraph>();

/** What a model of a configuration computes. */
export function graphOf(config: ModelConfig): ModelGraph {
  let graph = graphs.get(config);
  if (graph === undefined) graphs.set(config, (graph = familyOf(config).graph(config)));
  return graph;
}
