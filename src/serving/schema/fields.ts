import { meantBy } from '../../spelling.js';
import { badRequest } from '../errors.js';

/**
 * What becomes of a field of a request. A field is used, or refused with a 400 that names it, or known to change
 * nothing here and ignored. Every field that OpenAI's API, vLLM and llama-server take stands in one of the three lists
 * below; tests compare them with the peers' own.
 */
export type Endpoint = 'chat' | 'completion' | 'tokenize' | 'detokenize';

const SAMPLING = [
  ...['model', 'n', 'stream', 'stream_options', 'max_tokens', 'stop', 'seed', 'temperature', 'top_p', 'top_k', 'min_p'],
  ...['presence_penalty', 'frequency_penalty', 'repetition_penalty', 'logit_bias', 'logprobs', 'response_format'],
  ...['ignore_eos', 'priority', 'return_token_ids', 'stop_token_ids'],
];

/** Read by the endpoint's schema. */
export const USED: Readonly<Record<Endpoint, ReadonlySet<string>>> = {
  chat: new Set([
    ...SAMPLING,
    ...['messages', 'max_completion_tokens', 'top_logprobs', 'tools', 'tool_choice', 'functions', 'function_call'],
  ]),
  completion: new Set([...SAMPLING, 'prompt', 'echo', 'best_of', 'add_special_tokens']),
  tokenize: new Set(['model', 'prompt', 'messages', 'add_special_tokens', 'return_token_strs']),
  detokenize: new Set(['model', 'tokens']),
};

/** They concern billing, tracing, caches or the pace of a stream, or something that does not exist here. */
export const IGNORED: ReadonlySet<string> = new Set([
  // OpenAI
  ...['user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'parallel_tool_calls', 'prediction'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options'],
  // vLLM
  ...['request_id', 'session_id', 'include_reasoning', 'stream_interval', 'return_token_offsets', 'return_mm_kwargs'],
  ...['media_io_kwargs', 'mm_processor_kwargs', 'routed_experts_prompt_start', 'spaces_between_special_tokens'],
  // llama-server
  ...['id_slot', 'cache_prompt', 'n_cache_reuse', 'n_keep', 'n_discard', 'min_keep', 'sse_ping_interval'],
  ...['timings_per_token', 'return_progress', 'verbose', 'parse_tool_calls', 'reasoning_format', 'backend_sampling'],
  ...['speculative.n_max', 'speculative.n_min', 'speculative.p_min', 'speculative.type'],
]);

interface Refusal {
  readonly why: string;
  /** Values that ask for what happens anyway. */
  readonly neutral: readonly unknown[];
}

const refusal = (why: string, ...neutral: unknown[]): Refusal => ({ why, neutral });
/** Peers' names for what has another here. */
const use = (name: string, ...neutral: unknown[]): Refusal =>
  refusal(`not a field of this server; use ${name}`, ...neutral);
const unsupported = (what: string, ...neutral: unknown[]): Refusal =>
  refusal(`${what} not supported by this server`, ...neutral);

const EMPTY = {};

/** They would change the answer, and are not built. Null counts as absent everywhere. */
export const REFUSED: Readonly<Record<string, Refusal>> = {
  // OpenAI
  functions: unsupported('functions are', []),
  function_call: unsupported('function calls are', 'none', 'auto'),
  audio: unsupported('audio is'),
  modalities: refusal('only text is supported by this server', ['text'], []),
  moderation: unsupported('moderation is'),
  reasoning_effort: unsupported('reasoning is', 'none'),
  verbosity: unsupported('verbosity is', 'medium'),
  web_search_options: unsupported('searching the web is'),
  suffix: unsupported('text after the completion is', ''),
  // vLLM
  use_beam_search: unsupported('beam search is', false),
  length_penalty: unsupported('a length penalty is', 1),
  include_stop_str_in_output: unsupported('stop strings in the answer are', false),
  min_tokens: unsupported('a least number of tokens is', 0),
  skip_special_tokens: unsupported('special tokens in the answer are', true),
  truncate_prompt_tokens: unsupported('cutting prompts is', -1),
  truncation_side: unsupported('cutting prompts is'),
  prompt_logprobs: unsupported('prompt_logprobs is', -1),
  logprob_token_ids: unsupported('log-probabilities of chosen ids are'),
  allowed_token_ids: unsupported('a list of allowed ids is'),
  bad_words: unsupported('a list of words to avoid is', []),
  add_generation_prompt: refusal('a chat always ends with the words that open the reply', true),
  continue_final_message: unsupported('continuing the last message is', false),
  documents: unsupported('documents are', []),
  chat_template: refusal('the template is the server’s, chosen with --chat-template'),
  chat_template_kwargs: unsupported('variables for the chat template are', EMPTY),
  structured_outputs: use('response_format', EMPTY),
  guided_json: use('response_format'),
  guided_regex: unsupported('a regular expression for the answer is'),
  guided_choice: unsupported('a choice of answers is'),
  guided_grammar: unsupported('a grammar is'),
  guided_decoding_backend: unsupported('a choice of backend is'),
  guided_whitespace_pattern: unsupported('a pattern for white space is'),
  structural_tag: unsupported('structural tags are'),
  prompt_embeds: unsupported('embeddings as a prompt are'),
  return_tokens_as_token_ids: use('return_token_ids', false),
  return_prompt_text: unsupported('the rendered prompt in the answer is', false),
  cache_salt: unsupported('a prefix cache of one’s own is'),
  kv_transfer_params: unsupported('handing over a KV cache is'),
  ec_transfer_params: unsupported('handing over a cache is'),
  vllm_xargs: unsupported('arguments for extensions are', EMPTY),
  repetition_detection: unsupported('ending at repetitions is'),
  thinking_token_budget: unsupported('reasoning is', -1),
  watermarking: unsupported('watermarking is', false),
  // llama-server
  n_predict: use('max_tokens', -1),
  n_cmpl: use('n', 1),
  n_probs: use('logprobs', 0),
  n_indent: unsupported('a least indentation is', 0),
  repeat_penalty: use('repetition_penalty', 1),
  repeat_last_n: unsupported('a window of the penalties is'),
  penalize_nl: unsupported('penalising line breaks is', false),
  typical_p: unsupported('typical sampling is', 1),
  tfs_z: unsupported('tail-free sampling is', 1),
  top_n_sigma: unsupported('top-n-sigma sampling is', -1),
  dynatemp_range: unsupported('a dynamic temperature is', 0),
  dynatemp_exponent: unsupported('a dynamic temperature is', 1),
  dry_multiplier: unsupported('the DRY sampler is', 0),
  dry_base: unsupported('the DRY sampler is', 1.75),
  dry_allowed_length: unsupported('the DRY sampler is', 2),
  dry_penalty_last_n: unsupported('the DRY sampler is', 64, -1),
  dry_sequence_breakers: unsupported('the DRY sampler is', ['\n', ':', '"', '*'], []),
  xtc_probability: unsupported('the XTC sampler is', 0),
  xtc_threshold: unsupported('the XTC sampler is', 0.1),
  mirostat: unsupported('Mirostat is', 0),
  mirostat_tau: unsupported('Mirostat is', 5),
  mirostat_eta: unsupported('Mirostat is', 0.1),
  adaptive_target: unsupported('adaptive sampling is', -1),
  adaptive_decay: unsupported('adaptive sampling is', 0.9),
  samplers: unsupported('an order of samplers is'),
  grammar: unsupported('a grammar is', ''),
  grammar_lazy: unsupported('a grammar is', false),
  grammar_triggers: unsupported('a grammar is', []),
  preserved_tokens: unsupported('special tokens in the answer are', []),
  json_schema: use('response_format'),
  t_max_predict_ms: unsupported('a time limit of a request is', 0, -1),
  t_max_prompt_ms: unsupported('a time limit of a request is', 0, -1),
  post_sampling_probs: unsupported('probabilities after sampling are', false),
  return_tokens: use('return_token_ids', false),
  response_fields: unsupported('a choice of the answer’s fields is', []),
  lora: unsupported('LoRA adapters are', []),
  image_data: unsupported('images are', []),
  multimodal_data: unsupported('images are', []),
  prompt_string: use('prompt'),
  input_prefix: unsupported('infilling is', ''),
  input_suffix: unsupported('infilling is', ''),
  input_extra: unsupported('infilling is', []),
  thinking_forced_open: unsupported('reasoning is', false),
  reasoning_control: unsupported('reasoning is', false),
  reasoning_budget: unsupported('reasoning is', -1),
  reasoning_budget_tokens: unsupported('reasoning is', -1),
  enable_thinking: unsupported('reasoning is', false),
  // of /tokenize and /detokenize
  content: use('prompt'),
  add_special: use('add_special_tokens'),
  parse_special: unsupported('special tokens as plain text are', true),
  with_pieces: use('return_token_strs', false),
  // one endpoint's, sent to another
  prompt: unsupported('a prompt beside messages is'),
  messages: use('prompt, or /v1/chat/completions'),
  max_completion_tokens: use('max_tokens'),
  top_logprobs: use('logprobs'),
  tools: unsupported('tools are', []),
  tool_choice: unsupported('tools are', 'none', 'auto'),
  echo: unsupported('repeating the prompt in a chat is', false),
  best_of: unsupported('choosing the best of several is', 1),
  add_special_tokens: refusal('special tokens of a chat are its template’s', false),
};

/** So long may a field's name be to be quoted. */
const QUOTABLE = /^[\w.-]{1,64}$/;
/** Names of ignored fields that an answer mentions. */
const MOST_MENTIONED = 8;
/** Each unknown name is compared with all that are known; the lists here have fewer together. */
const MOST_FIELDS = 256;

export interface SortedFields {
  /** What the endpoint's schema reads; fields that are null are absent. */
  readonly used: Record<string, unknown>;
  /** Names nobody knows, for the answer's head. */
  readonly unknown: readonly string[];
}

/**
 * Takes a body apart before any of its values is looked into.
 *
 * @throws ApiError (400) for more fields than all servers together have, for a field that is refused, and for one whose name is a slip of the pen for one that is used
 */
export function sortFields(endpoint: Endpoint, body: object): SortedFields {
  const known = USED[endpoint];
  const used: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const unknown: string[] = [];
  const count = Object.keys(body).length;
  if (count > MOST_FIELDS) throw badRequest(`the body has ${count} fields, and this server takes up to ${MOST_FIELDS}`);
  for (const [name, value] of Object.entries(body) as [string, unknown][]) {
    if (value === null) continue;
    if (known.has(name)) used[name] = value;
    else if (Object.hasOwn(REFUSED, name)) assertNeutral(name, value);
    else if (!IGNORED.has(name)) {
      const meant = meantBy(name, known);
      if (meant !== undefined) throw badRequest(`${name}: not a field of this server; use ${meant}`, name);
      if (QUOTABLE.test(name) && unknown.length < MOST_MENTIONED) unknown.push(name);
    }
  }
  return { used, unknown };
}

function assertNeutral(name: string, value: unknown): void {
  const { why, neutral } = REFUSED[name];
  if (!neutral.some((harmless) => alike(harmless, value))) throw badRequest(`${name}: ${why}`, name);
}

/** Equal as JSON, for values as short as those of the list. */
function alike(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a as object);
  if (Array.isArray(b) ? b.length !== keys.length : Object.keys(b).length !== keys.length) return false;
  return keys.every((key) => alike((a as never)[key], (b as never)[key]));
}
