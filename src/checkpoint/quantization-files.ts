import { readJsonFile } from './mistakes.js';
import type { ModelFolder } from './source.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * A `config.json` with the settings of its quantisation, where older tools have put those into a file of their own:
 * AutoGPTQ into `quantize_config.json`, AutoAWQ into `quant_config.json`.
 *
 * @throws RidgepointError where that file is not JSON
 */
export async function withQuantizeConfig(config: unknown, folder: Pick<ModelFolder, 'readText'>): Promise<unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return config;
  const known = (config as Json)['quantization_config'] ?? (config as Json)['quantization'];
  if (known !== undefined && known !== null) return config;
  const gptq = (await readJsonFile(folder, 'quantize_config.json')) as Json | undefined;
  if (gptq !== undefined && gptq !== null) {
    return { ...config, quantization_config: { quant_method: 'gptq', ...gptq } };
  }
  const modelOpt = await readJsonFile(folder, 'hf_quant_config.json');
  if (modelOpt !== undefined && modelOpt !== null) {
    return { ...config, quantization_config: { quant_method: 'modelopt', settings: modelOpt } };
  }
  const awq = (await readJsonFile(folder, 'quant_config.json')) as Json | undefined;
  if (awq === undefined || awq === null) return config;
  const { w_bit: bits, q_group_size: size, ...rest } = awq;
  return { ...config, quantization_config: { quant_method: 'awq', bits, group_size: size, ...rest } };
}
