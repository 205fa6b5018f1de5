import { RidgepointError } from '../errors.js';
import { option, words, type Wording } from '../wording.js';
import { checkAwq } from './awq/settings.js';
import { gptqSettings } from './gptq/settings.js';
import type { PackedFormat } from './packed/format.js';
import { checkSettings, ORIGINAL } from './packed/known-settings.js';
import { printable } from './source.js';

function fail(message: string | Wording): never {
  throw new RidgepointError('checkpoint', message);
}

const MLX = `is of a checkpoint quantised for MLX, which is not supported; ${ORIGINAL}`;

/** MLX names no method, and gives group and bits alone. */
function isMlx(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'quant_method' in value) return false;
  return 'group_size' in value && 'bits' in value;
}

/**
 * Reads `quantization_config` of a `config.json`.
 *
 * @returns undefined where the checkpoint is not quantised
 * @throws RidgepointError naming the method or setting that is not supported
 */
export function packedFormat(config: unknown, file = 'config.json'): PackedFormat | undefined {
  const json = config as { quantization_config?: unknown; quantization?: unknown } | null;
  const found = json?.quantization_config;
  const other = json?.quantization;
  if (isMlx(other)) fail(`${file}: ${MLX}`);
  if (other !== undefined && other !== null && other !== false) {
    const what = `"quantization" ${printable(JSON.stringify(other) ?? '').slice(0, 80)} is not supported`;
    fail(`${file}: ${what}; ${ORIGINAL}`);
  }
  if (found === undefined || found === null || found === false) return undefined;
  const at = `${file}: "quantization_config"`;
  if (typeof found !== 'object') fail(`${at} must be an object`);
  const settings = found as Record<string, unknown>;
  const { quant_method: method, bits, group_size: groupSize = -1 } = settings;
  if (method !== 'gptq' && method !== 'awq') {
    if (isMlx(settings)) fail(`${file}: ${MLX}`);
    if (method === 'bitsandbytes' || settings['load_in_4bit'] === true || settings['load_in_8bit'] === true) {
      const advice = words`${ORIGINAL}, with ${option('dtype', 'int4')} or int8`;
      fail(words`${at} is of bitsandbytes, which is not supported; ${advice}`);
    }
    const named =
      method === undefined ? 'names no "quant_method"' : `is of method ${printable(JSON.stringify(method))}`;
    const what = `${at} ${named}`;
    fail(`${what}; Ridgepoint loads "gptq" and "awq", so ${ORIGINAL}`);
  }
  if (!(bits === 4 || (bits === 8 && method === 'gptq'))) {
    const known = method === 'gptq' ? '4 or 8' : '4';
    fail(`${at}: "bits" must be ${known} for ${method}, found ${JSON.stringify(bits)}`);
  }
  if (!(groupSize === -1 || (Number.isInteger(groupSize) && (groupSize as number) > 0))) {
    fail(`${at}: "group_size" must be -1 or a whole number of at least 1, found ${JSON.stringify(groupSize)}`);
  }
  if (method === 'awq') checkAwq(settings, at);
  if (settings['is_marlin_format'] === true) {
    fail(`${at}: the layout of Marlin is not supported; ${ORIGINAL}, or a checkpoint in the format "gptq"`);
  }
  const own = method === 'gptq' ? gptqSettings(settings, at) : undefined;
  const unknown = checkSettings(settings, at);
  return {
    method,
    bits,
    groupSize: groupSize === -1 ? undefined : (groupSize as number),
    zeroOffset: own?.zeroOffset ?? 0,
    actOrder: own?.actOrder ?? false,
    ...own?.dynamic(),
    ...(unknown.length > 0 && { unknown }),
  };
}
