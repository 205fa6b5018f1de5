import type { GenerationChunk, GenerationResult, TextEngine } from '../../../engine/api.js';

/** All that is known about a run once it has ended. */
export interface Run {
  readonly engine: TextEngine;
  readonly result: GenerationResult;
  readonly chunks: readonly GenerationChunk[];
  /** When loading began and the first token came, in milliseconds since the process started. */
  readonly loadBegan: number;
  readonly firstTokenAt: number;
}

const rounded = (ms: number): number => Number(ms.toFixed(3));

/** The object that `--json` prints; times in milliseconds. */
export function jsonReport({ engine, result, chunks, firstTokenAt }: Run): Record<string, unknown> {
  const { info, timings } = engine;
  const logprobs = chunks.flatMap((chunk) => chunk.logprobs ?? []);
  const load = Object.entries(timings).map(([stage, ms]) => [`${stage}_ms`, rounded(ms as number)]);
  return {
    text: result.text,
    prompt_ids: result.promptIds,
    ids: result.ids,
    finish_reason: result.finishReason,
    ttft_ms: rounded(result.ttftMs),
    tpot_ms: result.tpotMs === undefined ? null : rounded(result.tpotMs),
    e2e_ms: rounded(result.e2eMs),
    seed: result.seed,
    adapter: info.adapter,
    driver: info.driver,
    tier: info.tier,
    disabled: info.disabled,
    excluded: info.excluded,
    model: info.model,
    dtype: info.dtype,
    kv_dtype: info.kvDtype,
    context_length: info.contextLength,
    parameters: info.parameters,
    weight_bytes: info.weightBytes,
    kv_cache_bytes: info.kvCacheBytes,
    kv_cache_tokens: info.kvCacheTokens,
    kv_cache_choice: info.kvCacheChoice,
    tuning: info.tuning ?? null,
    load: Object.fromEntries(load) as Record<string, number>,
    process_start_to_first_token_ms: result.ids.length > 0 ? rounded(firstTokenAt) : null,
    ...(logprobs.length === 0 ? {} : { logprobs: logprobs.map(({ token, top }) => ({ ...token, top })) }),
  };
}

/** One line: how much, how fast, on what. */
export function summary({ engine, result }: Run): string {
  const { ids, ttftMs, tpotMs, finishReason } = result;
  const parts = [`${ids.length} token${ids.length === 1 ? '' : 's'} (${ENDINGS[finishReason]})`];
  if (ids.length > 0) parts.push(`TTFT ${ms(ttftMs)}`);
  if (tpotMs !== undefined) parts.push(`TPOT ${ms(tpotMs)}, ${(1000 / tpotMs).toFixed(1)} tok/s`);
  return `[${[...parts, engine.info.adapter].join(' | ')}]`;
}

const ENDINGS: Record<GenerationResult['finishReason'], string> = {
  eos: 'ended',
  stop: 'stop text',
  length: 'length',
  context: 'context full',
  abort: 'interrupted',
};

/** Where the time went, from the start of the process. */
export function timingsTable({ engine, result, loadBegan, firstTokenAt }: Run): string {
  const { timings, info } = engine;
  const { promptIds, ids, ttftMs, tpotMs } = result;
  const started = loadBegan + timings.total;
  const rows: [string, number, string?][] = [
    ['node, command line, prompt', loadBegan],
    ['engine', timings.total, 'of which, partly at the same time:'],
    ...(['adapter', 'device', 'checkpoint', 'tokenizer', 'weights', 'pipelines'] as const).map(
      (stage): [string, number] => [`  ${stage}`, timings[stage] ?? 0],
    ),
    ['first token after that', Math.max(0, firstTokenAt - started)],
  ];
  if (ids.length > 0) rows.push(['process start to first token', firstTokenAt]);
  if (ids.length > 0) {
    rows.push([
      'prefill (TTFT)',
      ttftMs,
      `${promptIds.length} tokens, ${((1000 * promptIds.length) / ttftMs).toFixed(1)} tok/s`,
    ]);
  }
  if (tpotMs !== undefined) {
    rows.push(['decode', tpotMs * (ids.length - 1), `${ids.length - 1} tokens, TPOT ${ms(tpotMs)}`]);
  }
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(
    ([label, value, note]) => `${label.padEnd(width)} ${value.toFixed(1).padStart(10)} ms${note ? `  ${note}` : ''}`,
  );
  const head = `${info.model} in ${info.dtype}, ${info.tier}, ${info.adapter}`;
  return `${[head, ...lines, cacheLine(info), kernels(info)].join('\n')}\n`;
}

/** Size of the KV cache, and why it is that. */
export function cacheLine({ kvCacheBytes, kvCacheTokens, kvDtype, kvCacheChoice }: TextEngine['info']): string {
  const bytes =
    kvCacheBytes < 2 ** 30
      ? `${(kvCacheBytes / 2 ** 20).toFixed(0)} MiB`
      : `${(kvCacheBytes / 2 ** 30).toFixed(1)} GiB`;
  return `KV cache: ${bytes} in ${kvDtype} for ${kvCacheTokens} tokens: ${kvCacheChoice}`;
}

/** Which kernels ran: the defaults, or what was measured to be faster. */
function kernels({ tuning }: TextEngine['info']): string {
  if (tuning === undefined) return 'kernels: the defaults';
  const { source, date, changed, dropped } = tuning;
  const lines = changed.length === 0 ? ['none but the defaults'] : changed;
  const when = source === 'measured' ? 'measured in this load' : `measured ${date.slice(0, 10)}`;
  return [`kernels, ${when}:`, ...lines, ...dropped.map((each) => `dropped: ${each}`)].join('\n  ');
}

function ms(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
