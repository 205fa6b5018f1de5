import type { PhaseSummary } from '../../../roofline/predict/phase-summary.js';
import type { Prediction } from '../../../roofline/predict/predict.js';
import { spanMs } from './interval.js';
import { efficiencyJson } from './efficiencies.js';
import { toMs } from '../../terminal/format.js';

const finite = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

/** The object that `predict --json` prints; times in milliseconds, sizes in bytes. */
export function predictionJson(prediction: Prediction): Record<string, unknown> {
  const { predictor, memory, roof } = prediction;
  const { hardware, pricer, weights, kv } = predictor;
  return {
    model: prediction.model,
    hardware: prediction.hardware,
    hardware_name: hardware.name,
    hardware_source: hardware.source,
    chips: prediction.chips,
    kernels: pricer.kernels,
    engine: predictor.engine.id,
    weight_dtype: weights,
    kv_dtype: kv,
    compute_dtype: pricer.compute,
    roof: roof.name,
    roof_is_fallback: roof.fallback,
    peak_flops_per_second: roof.rate,
    bandwidth_bytes_per_second: hardware.bandwidth,
    prompt_tokens: prediction.promptTokens,
    output_tokens: prediction.outputTokens,
    batch: prediction.batch,
    cached_tokens: prediction.cachedTokens,
    ttft_ms: toMs(prediction.ttftSeconds),
    ttft_share: prediction.ttftShare,
    ttft_interval_ms: spanMs(prediction.ttftInterval),
    tpot_ms: toMs(prediction.tpotSeconds) ?? null,
    tpot_interval_ms: spanMs(prediction.tpotInterval),
    evidence: prediction.evidence,
    itl_first_ms: toMs(prediction.itlFirstSeconds) ?? null,
    itl_last_ms: toMs(prediction.itlLastSeconds) ?? null,
    e2e_ms: toMs(prediction.e2eSeconds),
    tokens_per_second_per_user: finite(prediction.tokensPerSecondPerUser),
    tokens_per_second: finite(prediction.tokensPerSecond),
    prefill_tokens_per_second: prediction.prefillTokensPerSecond,
    memory: {
      weight_bytes: memory.weightBytes,
      kv_bytes_per_token: memory.kvBytesPerToken,
      kv_bytes: memory.kvBytes,
      capacity_bytes: finite(memory.capacityBytes),
      utilisation: finite(memory.utilisation),
      fits: memory.fits,
      largest_batch: finite(memory.largestBatch),
      largest_context: finite(memory.largestContext),
      context_bound_by: memory.contextBound,
    },
    prefill: phase(prediction.prefill),
    decode: prediction.decode === undefined ? null : phase(prediction.decode),
    efficiencies: efficiencyJson(prediction.efficiencies),
  };
}

function phase(summary: PhaseSummary): Record<string, unknown> {
  return {
    ms: toMs(summary.seconds),
    flops: summary.flops,
    bytes: summary.bytes,
    intensity: summary.intensity,
    ridge: summary.ridge,
    bottleneck: summary.bottleneck,
    mfu: summary.mfu,
    mbu: summary.mbu,
    idle_compute: summary.idleCompute,
    operations: summary.operations.map(({ name, launches, seconds, flops, bytes, intensity, bottleneck }) => ({
      name,
      launches,
      ms: toMs(seconds),
      flops,
      bytes,
      intensity,
      bottleneck,
    })),
  };
}
