/**
 * The request fields of other servers, as they name them, to see that each has a place in our list.
 *
 * OpenAI: `ChatCompletionCreateParamsBase` and `CompletionCreateParamsBase` of the npm package openai 6.49.0.
 * vLLM: `ChatCompletionRequest` and `CompletionRequest` of its main branch, commit 002032e, and the `guided_*` fields of
 * 0.10 that `structured_outputs` replaced.
 * Embeddings: `EmbeddingCreateParams` of the same package; vLLM's `EmbeddingRequest`s of texts and of chats.
 * llama-server: README of llama.cpp's tools/server, commit 00dc805, and `params_from_json_cmpl` of server-task.cpp.
 */
const words = (text: string): string[] => text.trim().split(/\s+/);

export const OPENAI_CHAT = words(`
  messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
  metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
  prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
  stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
`);

export const OPENAI_COMPLETION = words(`
  model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream
  stream_options suffix temperature top_p user
`);

export const OPENAI_EMBEDDING = words(`model input encoding_format dimensions user`);

export const VLLM_EMBEDDING = words(`
  model input encoding_format dimensions user messages truncate_prompt_tokens truncation_side request_id priority
  add_special_tokens cache_salt mm_processor_kwargs media_io_kwargs normalize use_activation embed_dtype endianness
  add_generation_prompt continue_final_message chat_template chat_template_kwargs
`);

const VLLM_SAMPLING = `
  use_beam_search top_k min_p repetition_penalty watermarking length_penalty stop_token_ids include_stop_str_in_output
  ignore_eos min_tokens skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens truncation_side
  prompt_logprobs logprob_token_ids allowed_token_ids bad_words add_special_tokens structured_outputs priority
  request_id session_id return_tokens_as_token_ids return_token_ids routed_experts_prompt_start return_token_offsets
  return_mm_kwargs cache_salt kv_transfer_params ec_transfer_params vllm_xargs repetition_detection
  thinking_token_budget stream_interval guided_json guided_regex guided_choice guided_grammar guided_decoding_backend
  guided_whitespace_pattern
`;

export const VLLM_CHAT = words(`
  messages model frequency_penalty logit_bias logprobs top_logprobs max_tokens max_completion_tokens n presence_penalty
  response_format seed stop stream stream_options temperature top_p tools tool_choice reasoning_effort
  include_reasoning parallel_tool_calls user echo add_generation_prompt continue_final_message documents chat_template
  chat_template_kwargs media_io_kwargs mm_processor_kwargs return_prompt_text ${VLLM_SAMPLING}
`);

export const VLLM_COMPLETION = words(`
  model prompt echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream stream_options
  suffix temperature top_p user prompt_embeds response_format ${VLLM_SAMPLING}
`);

export const LLAMA_SERVER = words(`
  prompt temperature dynatemp_range dynatemp_exponent top_k top_p min_p top_n_sigma n_predict n_indent n_keep n_discard
  n_cmpl n_cache_reuse stream stop typical_p tfs_z repeat_penalty repeat_last_n penalize_nl presence_penalty
  frequency_penalty dry_multiplier dry_base dry_allowed_length dry_penalty_last_n dry_sequence_breakers xtc_probability
  xtc_threshold mirostat mirostat_tau mirostat_eta adaptive_target adaptive_decay grammar grammar_lazy grammar_triggers
  preserved_tokens json_schema seed ignore_eos logit_bias n_probs min_keep t_max_predict_ms t_max_prompt_ms id_slot
  cache_prompt return_tokens samplers timings_per_token return_progress sse_ping_interval post_sampling_probs
  response_fields lora image_data backend_sampling speculative.n_max speculative.n_min speculative.p_min
  speculative.type parse_tool_calls reasoning_format thinking_forced_open reasoning_budget_tokens verbose
`);
