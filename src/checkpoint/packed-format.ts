import { RidgepointError } from '../errors.js';
import { printable } from './source.js';

/**
 * How the linear layers of a checkpoint of the Hub are packed, both as int32 words and transposed, [inputs, outputs]:
 *
 * - `gptq` (AutoGPTQ, GPTQModel): `qweight` [inputs / n, outputs], n consecutive inputs to a word; `qzeros`
 *   [groups, outputs / n], each one less than the zero it stands for, unless the format is v2; `g_idx` [inputs] names
 *   the group of each input, in any order where the inputs were sorted by activation ("act-order")
 * - `awq` (AutoAWQ, version "gemm"): `qweight` [inputs, outputs / 8] and `qzeros` [groups, outputs / 8], eight outputs
 *   to a word in the order 0, 2, 4, 6, 1, 3, 5, 7
 *
 * `scales` is [groups, outputs] in f16, bf16 or f32, and weight = scale * (quant - zero).
 *
 * Where sizes are no multiples of n, which the packers of the Hub refuse, the last words of `qweight` and `qzeros` are
 * filled up; `g_idx` and `scales` tell the true sizes.
 */
export interface PackedFormat {
  readonly method: 'gptq' | 'awq';
  readonly bits: 4 | 8;
  /** Inputs that share a scale; undefined: all of an output. */
  readonly groupSize: number | undefined;
  /** Added to a stored zero. */
  readonly zeroOffset: 0 | 1;
  /** Whether inputs were sorted before they were grouped, so that groups are no runs of columns. */
  readonly actOrder: boolean;
  /** What `dynamic` of GPTQModel says of single matrices, in the order in which it is to be tried. */
  readonly dynamic?: readonly DynamicRule[];
  /** Settings that nothing is known of. */
  readonly unknown?: readonly string[];
}

/** A rule for the modules whose names begin with a match. */
export interface DynamicRule {
  readonly pattern: RegExp;
  readonly bits?: 4 | 8;
  /** -1: all of an output. */
  readonly groupSize?: number;
}

/** How a matrix is packed that is packed otherwise than the rest, or of which more is known. */
export interface PackedException {
  readonly bits: 4 | 8;
  /** Undefined: all of an output. */
  readonly groupSize: number | undefined;
  /** Every zero is the middle of the quants, as far as it is known. */
  readonly symmetric?: boolean;
}

/** What packers say of how they chose the quants, and of the kernels that were to run them. */
const HARMLESS = [
  ...['quant_method', 'bits', 'group_size', 'desc_act', 'sym', 'dynamic', 'checkpoint_format', 'is_marlin_format'],
  ...['damp_percent', 'damp_auto_increment', 'static_groups', 'true_sequential', 'mse', 'quantizer', 'meta', 'lm_head'],
  ...['model_name_or_path', 'model_file_base_name', 'model_seqlen', 'block_name_to_quantize', 'batch_size', 'dataset'],
  ...['module_name_preceding_first_block', 'modules_in_block_to_quantize', 'cache_block_outputs', 'tokenizer'],
  ...[
    'pad_token_id',
    'use_cuda_fp16',
    'use_exllama',
    'disable_exllama',
    'max_input_length',
    'exllama_config',
    'backend',
  ],
  ...['cache_examples_on_gpu', 'hyb_act', 'v2', 'gptaq', 'gptaq_alpha', 'v2_alpha', 'failsafe', 'awq_gemv_to_gemm'],
  ...['zero_point', 'version', 'modules_to_not_convert', 'do_fuse', 'modules_to_fuse', 'fuse_max_seq_len'],
  ...['enable_minmax_tuning', 'enable_norm_bias_tuning', 'enable_quanted_input', 'gradient_accumulate_steps', 'iters'],
  ...['low_gpu_mem_usage', 'lr', 'minmax_lr', 'nsamples', 'scale_dtype', 'seqlen', 'to_quant_block_names', 'amp'],
  ...['autoround_version', 'data_type', 'train_bs', 'not_use_best_mse', 'dynamic_max_gap'],
];
/** Values with which the rest says nothing. */
const PLAIN: Readonly<Record<string, readonly unknown[]>> = {
  format: ['gptq', 'gptq_v2', 'gemm'],
  pack_dtype: ['int32'],
};

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

/** What a setting's name looks like that may say that weights are rotated, added to, or packed otherwise. */
const MATHS =
  /rotat|hadamard|adapter|lora|format|pack|layout|codebook|vector|sparse|transform|permut|smooth|outlier|clip|act|kv|scale|bits|group|dtype|residual|rank/;

/**
 * Sees to it that every setting is used, or changes nothing.
 *
 * @returns those that nobody here knows and that do not look as if they changed anything
 */
function checkSettings(settings: Readonly<Record<string, unknown>>, at: string): string[] {
  const isPlain = (key: string, value: unknown): boolean =>
    value === null || value === false || (PLAIN[key]?.includes(value) ?? HARMLESS.includes(key));
  const unknown = Object.entries(settings).filter(([key, value]) => !isPlain(key, value));
  const changing = unknown.find(([key]) => Object.hasOwn(PLAIN, key) || MATHS.test(key));
  if (changing === undefined) return unknown.map(([key]) => `quantization_config.${key}`);
  const [key, value] = changing;
  const found = `${at}: "${printable(key)}" ${printable(JSON.stringify(value) ?? '').slice(0, 80)}`;
  return fail(`${found} is not supported; ${ORIGINAL}, or set it to null if you are sure that it changes no weight`);
}

const ORIGINAL = 'give the checkpoint it was made of';
const MLX = `is of a checkpoint quantised for MLX, which is not supported; ${ORIGINAL}`;

/** MLX names no method, and gives group and bits alone. */
function isMlx(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'quant_method' in value) return false;
  return 'group_size' in value && 'bits' in value;
}

/** Reads `dynamic`: patterns of names, skipped ones marked by "-:", and what holds for the others. */
function rulesOf(found: unknown, at: string): { readonly dynamic: readonly DynamicRule[] } | undefined {
  if (found === undefined || found === null || found === false) return undefined;
  if (typeof found !== 'object') return fail(`${at}: "dynamic" must be an object`);
  const dynamic = Object.entries(found).flatMap(([key, settings]): DynamicRule[] => {
    const [, sign, source] = /^([+-]:)?(.*)$/s.exec(key)!;
    const rule = `${at}: "dynamic" ${printable(JSON.stringify(key))}`;
    let pattern: RegExp;
    // What repeats a repetition may be tried for ever on a name that it does not fit.
    if (/[+*}]\??[^()]*\)+\??[+*{]/.test(source)) fail(`${rule} repeats what repeats itself; write it without`);
    try {
      pattern = new RegExp(`^(?:${source})`, 'u');
    } catch {
      return fail(`${rule} is no pattern that can be read`);
    }
    if (sign === '-:') return [{ pattern }]; // its tensors say themselves that they are not packed
    const { bits, group_size: groupSize } = (settings ?? {}) as Record<string, unknown>;
    if (bits !== undefined && bits !== 4 && bits !== 8)
      fail(`${rule}: "bits" must be 4 or 8, found ${JSON.stringify(bits)}`);
    const isSize =
      groupSize === undefined || groupSize === -1 || (Number.isInteger(groupSize) && Number(groupSize) > 0);
    if (!isSize) fail(`${rule}: "group_size" must be -1 or at least 1, found ${JSON.stringify(groupSize)}`);
    return [{ pattern, bits, groupSize: groupSize as number | undefined }];
  });
  return { dynamic };
}

/** What the rules of a format say of a matrix `name.weight`. */
export function dynamicException({ dynamic, ...all }: PackedFormat, weight: string): PackedException | undefined {
  const name = weight.replace(/\.weight$/, '');
  const rule = dynamic?.find(({ pattern }) => pattern.test(name));
  if (rule === undefined) return undefined;
  const { bits = all.bits, groupSize = all.groupSize } = rule;
  return { bits, groupSize: groupSize === -1 ? undefined : groupSize };
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
      fail(`${at} is of bitsandbytes, which is not supported; ${ORIGINAL}, with --dtype int4 or int8`);
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
  const { version = 'gemm', format, checkpoint_format: layout = format ?? 'gptq' } = settings;
  for (const [name, value] of Object.entries({ version, format, checkpoint_format: settings['checkpoint_format'] })) {
    if (method !== 'awq' || value === undefined || value === null) continue;
    if (typeof value === 'string' && value.toLowerCase() === 'gemm') continue;
    fail(`${at}: "${name}" ${printable(JSON.stringify(value))} is not supported; Ridgepoint loads "gemm"`);
  }
  if (settings['is_marlin_format'] === true) {
    fail(`${at}: the layout of Marlin is not supported; ${ORIGINAL}, or a checkpoint in the format "gptq"`);
  }
  if (method === 'gptq' && layout !== 'gptq' && layout !== 'gptq_v2') {
    fail(
      `${at}: "checkpoint_format" ${JSON.stringify(layout)} is not supported; Ridgepoint loads "gptq" and "gptq_v2"`,
    );
  }
  const unknown = checkSettings(settings, at);
  return {
    method,
    bits,
    groupSize: groupSize === -1 ? undefined : (groupSize as number),
    zeroOffset: method === 'gptq' && layout === 'gptq' ? 1 : 0,
    actOrder: method === 'gptq' && settings.desc_act === true,
    ...(method === 'gptq' && rulesOf(settings.dynamic, at)),
    ...(unknown.length > 0 && { unknown }),
  };
}
