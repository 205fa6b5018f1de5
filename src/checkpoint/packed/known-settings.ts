import { RidgepointError } from '../../errors.js';
import { printable } from '../source.js';

/** What to load instead of a checkpoint that is not supported. */
export const ORIGINAL = 'give the checkpoint it was made of';

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
export function checkSettings(settings: Readonly<Record<string, unknown>>, at: string): string[] {
  const isPlain = (key: string, value: unknown): boolean =>
    value === null ||
    value === false ||
    (Object.hasOwn(PLAIN, key) ? PLAIN[key].includes(value) : HARMLESS.includes(key));
  const unknown = Object.entries(settings).filter(([key, value]) => !isPlain(key, value));
  const changing = unknown.find(([key]) => Object.hasOwn(PLAIN, key) || MATHS.test(key));
  if (changing === undefined) return unknown.map(([key]) => `quantization_config.${key}`);
  const [key, value] = changing;
  const found = `${at}: "${printable(key)}" ${printable(JSON.stringify(value) ?? '').slice(0, 80)}`;
  return fail(`${found} is not supported; ${ORIGINAL}, or set it to null if you are sure that it changes no weight`);
}
