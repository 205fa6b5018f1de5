import type { TargetDtype } from '../checkpoint/convert.js';
import type { PackedException } from '../checkpoint/packed/format.js';
import { RidgepointError } from '../errors.js';
import { quantFormat, type QuantizedDtype } from './formats.js';

/** The formats that a checkpoint was saved in by this project. */
export interface SavedFormats {
  /** Of the layers' matrices. */
  readonly dtype: QuantizedDtype;
  /** Of embedding and `lm_head`. */
  readonly head: TargetDtype | QuantizedDtype;
}

/** Raised when what is written could no longer be read by a reader of the number before. */
const FORMAT_VERSION = 1;

const FLOATS: readonly string[] = ['f16', 'bf16', 'f32'] satisfies TargetDtype[];

/** What GPTQ stores a zero less than it is, in the version a checkpoint of these layers is saved in. */
export function zeroOffset(dtype: QuantizedDtype): 0 | 1 {
  return quantFormat(dtype).symmetric ? 1 : 0;
}

/**
 * The `quantization_config` of a saved checkpoint. It is GPTQ's, which holds our formats exactly: version 1 where every
 * zero is the middle, as all its readers expect; version 2, which can tell a zero of 0, where groups have their own.
 * What GPTQ cannot say, the format of embedding and `lm_head`, stands under `meta`, which its readers leave alone.
 *
 * @param writer name and version of the program, for example `ridgepoint:0.1.0`
 */
export function quantizationConfig({ dtype, head }: SavedFormats, writer: string): Record<string, unknown> {
  const { bits, group, symmetric } = quantFormat(dtype);
  return {
    quant_method: 'gptq',
    bits,
    group_size: group,
    sym: symmetric,
    desc_act: false,
    checkpoint_format: zeroOffset(dtype) === 1 ? 'gptq' : 'gptq_v2',
    pack_dtype: 'int32',
    lm_head: quantFormat(head) !== undefined,
    meta: { quantizer: [writer], ridgepoint: { format: FORMAT_VERSION, dtype, head_dtype: head } },
  };
}

/**
 * The formats that `quantization_config` of a `config.json` says the checkpoint was saved in.
 *
 * @returns undefined where it was not saved by this project
 * @throws RidgepointError naming the file and what is wrong in it
 */
export function savedFormats(config: unknown, file = 'config.json'): SavedFormats | undefined {
  const found = (config as { quantization_config?: Record<string, unknown> | null } | null)?.quantization_config;
  const own = (found?.meta as { ridgepoint?: Record<string, unknown> | null } | null | undefined)?.ridgepoint;
  if (found === undefined || found === null || typeof own !== 'object' || own === null) return undefined;
  const fail = (message: string): never => {
    throw new RidgepointError('checkpoint', `${file}: "quantization_config.meta.ridgepoint": ${message}`);
  };
  const { format: version, dtype, head_dtype: head } = own;
  if (version !== FORMAT_VERSION) {
    const known = `this version reads ${FORMAT_VERSION}`;
    fail(`"format" is ${JSON.stringify(version)}, but ${known}; quantise the original checkpoint again`);
  }
  const format = typeof dtype === 'string' ? quantFormat(dtype) : undefined;
  if (format === undefined) return fail(`"dtype" ${JSON.stringify(dtype)} is no quantised format`);
  if (typeof head !== 'string' || (!FLOATS.includes(head) && quantFormat(head) === undefined)) {
    return fail(`"head_dtype" ${JSON.stringify(head)} is no format of weights`);
  }
  const said = quantizationConfig({ dtype, head } as SavedFormats, '');
  for (const key of ['quant_method', 'bits', 'group_size', 'sym', 'desc_act', 'checkpoint_format']) {
    if (found[key] !== said[key]) {
      fail(`${JSON.stringify(dtype)} contradicts "${key}" ${JSON.stringify(found[key])} beside it`);
    }
  }
  return { dtype, head } as SavedFormats;
}

/** What is known of a matrix of a checkpoint so saved. */
export function savedMatrices({ dtype, head }: SavedFormats): (weight: string) => PackedException | undefined {
  const known = (name: string): PackedException | undefined => {
    const format = quantFormat(name);
    return format && { bits: format.bits, groupSize: format.group, symmetric: format.symmetric };
  };
  return (weight) => known(weight.startsWith('model.layers.') ? dtype : head);
}
