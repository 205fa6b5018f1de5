import { refusal, unsupported, use, type Refusal } from './refusal.js';

const CLASSIFIER_FREE = unsupported('guidance by a negative prompt is', 1, '');
const HIDDEN_STATES = unsupported('hidden states in the answer are', false);

/**
 * Fields that would change the answer, of servers other than those whose API this one has: SGLang, TGI, Ollama, KoboldCpp
 * and text-generation-webui. Their clients send them to whatever calls itself compatible with OpenAI.
 */
export const OTHER_SERVERS: Readonly<Record<string, Refusal>> = {
  // SGLang
  regex: use('structured_outputs'),
  ebnf: use('structured_outputs'),
  stop_regex: unsupported('a pattern that stops is', []),
  no_stop_trim: use('include_stop_str_in_output', false),
  sampling_seed: use('seed'),
  lora_path: unsupported('LoRA adapters are'),
  custom_logit_processor: unsupported('processors of logits are'),
  session_params: unsupported('a session kept here is'),
  return_hidden_states: HIDDEN_STATES,
  input_embeds: unsupported('embeddings as a prompt are'),
  // TGI, and transformers
  inputs: use('messages or prompt'),
  parameters: refusal('settings stand in the body itself'),
  max_new_tokens: use('max_tokens'),
  min_new_tokens: use('min_tokens', 0),
  max_length: use('max_tokens'),
  do_sample: use('temperature', true),
  num_beams: unsupported('beam search is', 1),
  no_repeat_ngram_size: unsupported('a ban of repetitions is', 0),
  encoder_repetition_penalty: unsupported('a penalty by the prompt alone is', 1),
  penalty_alpha: unsupported('contrastive search is', 0),
  epsilon_cutoff: unsupported('a cutoff of probabilities is', 0),
  eta_cutoff: unsupported('a cutoff of probabilities is', 0),
  return_full_text: use('echo', false),
  adapter_id: unsupported('LoRA adapters are'),
  top_n_tokens: use('logprobs', 0),
  guideline: unsupported('a guideline is'),
  // Ollama
  options: refusal('settings stand in the body itself', {}),
  num_predict: use('max_tokens', -1),
  num_ctx: refusal('the context is the server’s, chosen with --context-length'),
  format: use('response_format', ''),
  raw: use('/v1/completions', false),
  template: refusal('the template is the server’s, chosen with --chat-template', ''),
  think: unsupported('a choice about thinking is'),
  images: unsupported('images are', []),
  context: use('prompt', []),
  // KoboldCpp and text-generation-webui
  rep_pen: use('repetition_penalty', 1),
  repetition_penalty_range: unsupported('a window of the penalties is'),
  rep_pen_range: unsupported('a window of the penalties is'),
  stop_sequence: use('stop', []),
  banned_tokens: use('bad_words', []),
  banned_strings: use('bad_words', []),
  custom_token_bans: use('logit_bias', ''),
  ban_eos_token: use('ignore_eos', false),
  sampler_order: unsupported('an order of samplers is'),
  sampler_priority: unsupported('an order of samplers is'),
  temperature_last: unsupported('an order of samplers is', false),
  top_a: unsupported('top-a sampling is', 0),
  tfs: unsupported('tail-free sampling is', 1),
  typical: unsupported('typical sampling is', 1),
  nsigma: unsupported('top-n-sigma sampling is', 0),
  smoothing_factor: unsupported('a smoothed temperature is', 0),
  dynamic_temperature: unsupported('a dynamic temperature is', false),
  negative_prompt: CLASSIFIER_FREE,
  guidance_scale: CLASSIFIER_FREE,
  grammar_string: use('grammar', ''),
  truncation_length: use('truncate_prompt_tokens'),
  instruction_template: refusal('the template is the server’s, chosen with --chat-template'),
  // OpenRouter
  transforms: unsupported('cutting prompts is', []),
};
