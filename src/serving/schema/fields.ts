import { meantBy } from '../../spelling.js';
import { badRequest } from '../errors.js';
import { OPTION_FIELDS } from './option-fields.js';
import { OTHER_SERVERS } from './other-servers.js';
import { refusal, unsupported, use, type Refusal } from './refusal.js';

/**
 * What becomes of a field of a request. A field is used, or refused with a 400 that names it, or known to change
 * nothing here and ignored. Every field that OpenAI's API, vLLM and llama-server take stands in one of the three lists
 * below; tests compare them with the peers' own.
 */
export type Endpoint =
  'chat' | 'completion' | 'responses' | 'messages' | 'count' | 'embeddings' | 'tokenize' | 'detokenize';

const EXPECTATION = ['timings', 'ttft_slo_ms', 'itl_slo_ms'];

const GENERATION = [
  ...['model', 'n', 'stream', 'stream_options', 'return_token_ids', 'allowed_token_ids', 'bad_words'],
  ...['response_format', 'structured_outputs', 'guided_json', 'guided_regex', 'guided_choice', 'guided_grammar'],
  ...EXPECTATION,
  ...['grammar', 'json_schema', 'n_predict', 'repeat_penalty', 'truncate_prompt_tokens'],
  ...OPTION_FIELDS,
];

const ANTHROPIC = ['messages', 'system', 'tools', 'tool_choice', 'thinking'];

/** Read by the endpoint's schema. */
export const USED: Readonly<Record<Endpoint, ReadonlySet<string>>> = {
  chat: new Set([
    ...GENERATION,
    ...['messages', 'max_completion_tokens', 'top_logprobs', 'tools', 'tool_choice', 'functions', 'function_call'],
    ...['parallel_tool_calls', 'include_reasoning', 'reasoning_format', 'chat_template_kwargs'],
    ...['add_generation_prompt', 'continue_final_message'],
  ]),
  completion: new Set([...GENERATION, 'prompt', 'echo', 'best_of', 'add_special_tokens', 'prompt_logprobs']),
  responses: new Set([
    ...['model', 'stream', 'stream_options', 'allowed_token_ids', 'bad_words', 'truncate_prompt_tokens'],
    ...EXPECTATION,
    ...OPTION_FIELDS.filter((name) => !['max_tokens', 'logprobs'].includes(name)),
    ...['input', 'instructions', 'max_output_tokens', 'previous_response_id', 'store', 'metadata', 'text'],
    ...['parallel_tool_calls', 'tools', 'tool_choice', 'reasoning', 'include', 'truncation'],
  ]),
  messages: new Set([
    ...['model', 'stream', 'allowed_token_ids', 'bad_words', 'truncate_prompt_tokens', 'stop_sequences'],
    ...EXPECTATION,
    ...OPTION_FIELDS.filter((name) => name !== 'logprobs'),
    ...ANTHROPIC,
  ]),
  count: new Set(['model', ...ANTHROPIC]),
  embeddings: new Set([
    ...['model', 'input', 'encoding_format', 'dimensions', 'priority', 'normalize', 'add_special_tokens'],
  ]),
  tokenize: new Set(['model', 'prompt', 'messages', 'add_special_tokens', 'return_token_strs']),
  detokenize: new Set(['model', 'tokens']),
};

/** They generate nothing, so what concerns an answer alone changes nothing there. */
const COUNTING: ReadonlySet<Endpoint> = new Set(['count', 'tokenize', 'detokenize']);
const OF_ANSWERS: ReadonlySet<string> = new Set(GENERATION.filter((name) => name !== 'truncate_prompt_tokens'));

/** They concern billing, tracing or caches, or something that does not exist here: whatever they say happens anyway. */
export const IGNORED: ReadonlySet<string> = new Set([
  // OpenAI
  ...['user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prediction'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'max_tool_calls', 'cache_control'],
  // vLLM: which cache would know a conversation best; what tokenizers written in Python put between special tokens
  ...['session_id', 'spaces_between_special_tokens'],
  // llama-server: what is kept of a context that is moved, which none is here; where tokens are drawn
  ...['n_keep', 'n_discard', 'backend_sampling'],
]);

const EMPTY = {};
const GUESSES = unsupported('a choice of how to guess ahead is');

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
  n: unsupported('several choices are', 1),
  max_tokens: use('max_output_tokens'),
  logprobs: unsupported('log-probabilities are', false),
  response_format: use('text.format'),
  stop_sequences: use('stop', []),
  system: use('a system message'),
  thinking: unsupported('a choice about thinking is'),
  output_config: unsupported('a form of the answer is'),
  output_format: unsupported('a form of the answer is'),
  container: unsupported('a container is'),
  mcp_servers: unsupported('calling servers of tools is', []),
  background: unsupported('answering in the background is', false),
  conversation: unsupported('a conversation kept here is'),
  context_management: unsupported('compacting a conversation is', []),
  input: use('messages or prompt, or /v1/responses'),
  instructions: use('a system message'),
  previous_response_id: use('/v1/responses'),
  max_output_tokens: use('max_completion_tokens'),
  // vLLM
  use_beam_search: unsupported('beam search is', false),
  length_penalty: unsupported('a length penalty is', 1),
  truncate_prompt_tokens: unsupported('cutting prompts is', -1),
  truncation_side: unsupported('cutting prompts is'),
  prompt_logprobs: unsupported('prompt_logprobs is', -1),
  logprob_token_ids: unsupported('log-probabilities of chosen ids are'),
  add_generation_prompt: unsupported('a chat without a template is', true, false),
  continue_final_message: unsupported('continuing the last message is', false),
  documents: unsupported('documents are', []),
  chat_template: refusal('the template is the server’s, chosen with --chat-template'),
  chat_template_kwargs: unsupported('variables for the chat template are', EMPTY),
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
  embed_dtype: unsupported('another type of numbers is', 'float32'),
  endianness: unsupported('another order of bytes is', 'native', 'little'),
  use_activation: use('normalize'),
  request_id: use('the header x-request-id'),
  stream_interval: unsupported('a number of tokens an event is', 1),
  return_token_offsets: unsupported('offsets of tokens are', false),
  return_mm_kwargs: unsupported('images are', false),
  media_io_kwargs: unsupported('images are', EMPTY),
  mm_processor_kwargs: unsupported('images are', EMPTY),
  routed_experts_prompt_start: unsupported('experts in the answer are', 0),
  // llama-server
  embd_normalize: use('normalize'),
  id_slot: unsupported('a choice of slot is', -1),
  cache_prompt: unsupported('leaving out the prefix cache is', true),
  n_cache_reuse: unsupported('moving parts of the cache is', 0),
  min_keep: unsupported('a least number of candidates is', 0, 1),
  sse_ping_interval: refusal('the interval is the server’s, chosen with --sse-keep-alive'),
  timings_per_token: use('timings', false),
  return_progress: unsupported('progress of a prompt is', false),
  verbose: unsupported('a verbose answer is', false),
  'speculative.n_max': GUESSES,
  'speculative.n_min': GUESSES,
  'speculative.p_min': GUESSES,
  'speculative.type': GUESSES,
  n_cmpl: use('n', 1),
  n_probs: use('logprobs', 0),
  n_indent: unsupported('a least indentation is', 0),
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
  grammar_lazy: unsupported('a grammar is', false),
  grammar_triggers: unsupported('a grammar is', []),
  preserved_tokens: unsupported('special tokens in the answer are', []),
  t_max_predict_ms: unsupported('a time limit of a request is', 0, -1),
  t_max_prompt_ms: unsupported('a time limit of a request is', 0, -1),
  post_sampling_probs: unsupported('probabilities after sampling are', false),
  return_tokens: use('return_token_ids', false),
  response_fields: unsupported('a choice of the answer’s fields is', []),
  logits_processors: unsupported('processors of logits are', []),
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
  ...OTHER_SERVERS,
  // one endpoint's, sent to another
  timings: refusal('only requests that generate are timed', false),
  ttft_slo_ms: refusal('only requests that generate are promised a time'),
  itl_slo_ms: refusal('only requests that generate are promised a time'),
  structured_outputs: unsupported('a form of the text is', EMPTY),
  guided_json: unsupported('a form of the text is'),
  guided_regex: unsupported('a form of the text is'),
  guided_choice: unsupported('a form of the text is'),
  guided_grammar: unsupported('a form of the text is'),
  grammar: unsupported('a grammar is', ''),
  json_schema: unsupported('a form of the text is'),
  n_predict: use('the endpoint’s own limit of tokens', -1),
  repeat_penalty: use('repetition_penalty', 1),
  text: use('response_format', EMPTY),
  reasoning: unsupported('reasoning is', EMPTY),
  truncation: unsupported('cutting prompts is', 'disabled'),
  include: unsupported('a choice of what else is answered is', []),
  tokens: use('prompt'),
  parallel_tool_calls: unsupported('tools are', true, false),
  include_reasoning: unsupported('reasoning is', true, false),
  reasoning_format: unsupported('reasoning is', 'auto', 'none'),
  parse_tool_calls: unsupported('leaving calls of tools in the text is', true),
  prompt: unsupported('a prompt beside messages is'),
  messages: use('prompt, or /v1/chat/completions'),
  max_completion_tokens: use('max_tokens'),
  top_logprobs: use('logprobs', 0),
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
    else if (COUNTING.has(endpoint) && OF_ANSWERS.has(name)) continue;
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
