import { parseConfig, type ModelConfig } from './config.js';
import type { ModelSource } from './open.js';

/**
 * The configuration of a model; the only place where one is parsed, and apart from the rest of opening a model, since who
 * predicts wants no tokenizer.
 *
 * @throws RidgepointError naming the field
 */
export function readConfig({ config, configName }: Pick<ModelSource, 'config' | 'configName'>): ModelConfig {
  return parseConfig(config, configName);
}
