import { RidgepointError } from '../../errors.js';
import type { LedgerRow } from './row.js';

/** What files of benchmarks do not say. */
export interface Known {
  readonly source: string;
  readonly device: string;
  readonly engine: string;
  readonly version?: string;
  readonly model: string;
  readonly weights?: string;
  readonly tp?: number;
}

type Found = Record<string, unknown>;

const numberOf = (found: Found, ...names: string[]): number | undefined =>
  names
    .map((name) => found[name])
    .find((value): value is number => typeof value === 'number' && Number.isFinite(value));

const base = ({ version = '', weights = 'f16', tp = 1, ...known }: Known) => ({
  ...{ ...known, version, weights, tp },
  fit: false,
});

/** llama-bench’s `-o json`: an object for each test, prompts of `n_prompt` or generation of `n_gen` tokens. */
function fromLlamaBench(found: Found, known: Known): LedgerRow[] {
  const [prompt, output, depth, ns] = ['n_prompt', 'n_gen', 'n_depth', 'avg_ns'].map(
    (name) => numberOf(found, name) ?? 0,
  );
  if (ns <= 0) return [];
  const shared = { ...base(known), load: 'bench', batch: 1 } as const;
  if (output === 0) return [{ ...shared, prompt, output: 1, metric: 'ttft', ms: ns / 1e6 }];
  if (prompt > 0) return []; // a mix of both, which has no phase
  return [{ ...shared, prompt: Math.max(1, depth), output: output + 1, metric: 'tpot', ms: ns / 1e6 / output }];
}

/** Result of `vllm bench serve` or of SGLang’s `bench_serving`: means of TTFT and TPOT with so many clients at most. */
function fromServing(found: Found, known: Known): LedgerRow[] {
  const requests = numberOf(found, 'completed', 'num_prompts');
  const batch = numberOf(found, 'max_concurrency');
  const [input, generated] = [
    numberOf(found, 'total_input_tokens', 'total_input'),
    numberOf(found, 'total_output_tokens', 'total_output'),
  ];
  if (requests === undefined || batch === undefined || input === undefined || generated === undefined) return [];
  const shape = { prompt: Math.round(input / requests), output: Math.round(generated / requests), batch };
  const shared = { ...base(known), load: 'closed', ...shape } as const;
  return (['ttft', 'tpot'] as const).flatMap((metric) => {
    const ms = numberOf(found, `mean_${metric}_ms`);
    return ms === undefined || ms <= 0 ? [] : [{ ...shared, metric, ms }];
  });
}

/** AIPerf’s `profile_export_aiperf.json`: metrics with their averages, and the clients in its configuration. */
function fromAiperf(found: Found, known: Known): LedgerRow[] {
  const average = (name: string): number | undefined => numberOf((found[name] ?? {}) as Found, 'avg');
  const config = (found.input_config ?? {}) as Found;
  const batch = numberOf((config.loadgen ?? config) as Found, 'concurrency');
  const [prompt, output] = [average('input_sequence_length'), average('output_sequence_length')];
  if (batch === undefined || prompt === undefined || output === undefined) return [];
  const shape = { prompt: Math.round(prompt), output: Math.round(output), batch };
  const shared = { ...base(known), load: 'closed', ...shape } as const;
  const [ttft, tpot] = [average('time_to_first_token'), average('inter_token_latency')];
  return [
    ...(ttft === undefined ? [] : [{ ...shared, metric: 'ttft' as const, ms: ttft }]),
    ...(tpot === undefined ? [] : [{ ...shared, metric: 'tpot' as const, ms: tpot }]),
  ];
}

/**
 * Rows of a benchmark’s result: llama-bench (JSON or a line an object), `vllm bench serve`, SGLang’s `bench_serving`,
 * AIPerf.
 *
 * @throws RidgepointError that says what is missing when no row can be read
 */
export function importRows(text: string, known: Known, file: string): LedgerRow[] {
  const rows = objectsOf(text, file).flatMap((found) => {
    if ('n_gen' in found) return fromLlamaBench(found, known);
    return 'time_to_first_token' in found ? fromAiperf(found, known) : fromServing(found, known);
  });
  if (rows.length > 0) return rows;
  throw new RidgepointError(
    'usage',
    `${file}: no result of llama-bench, vLLM, SGLang or AIPerf that a row can be read from; servers' need the number of clients (max_concurrency), tokens in and out, and means`,
  );
}

function objectsOf(text: string, file: string): Found[] {
  const parse = (part: string): unknown => {
    try {
      return JSON.parse(part);
    } catch {
      return undefined;
    }
  };
  const whole = parse(text);
  const found = whole === undefined ? text.trim().split(/\r?\n/).map(parse) : [whole].flat();
  if (found.every((each) => typeof each === 'object' && each !== null)) return found as Found[];
  throw new RidgepointError('usage', `${file}: cannot be read as JSON, nor as a line of JSON for each result`);
}
