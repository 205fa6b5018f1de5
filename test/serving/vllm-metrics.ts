/** Metrics of vLLM's dashboard for Grafana (vllm-project/vllm, examples/observability/prometheus_grafana). */
export const VLLM_METRICS = [
  ...['e2e_request_latency_seconds_bucket', 'prompt_tokens_total', 'generation_tokens_total'],
  ...['inter_token_latency_seconds_bucket', 'num_requests_running', 'num_requests_waiting', 'kv_cache_usage_perc'],
  ...['time_to_first_token_seconds_bucket', 'request_prompt_tokens_bucket', 'request_generation_tokens_bucket'],
  ...['request_queue_time_seconds_sum', 'request_prefill_time_seconds_sum', 'request_decode_time_seconds_sum'],
  ...['request_max_num_generation_tokens_sum', 'request_success_total'],
];
