import { keepSecret } from '../../../platform/node/secrets.js';
import type { PolicyName } from '../../../scheduler/policies/index.js';
import { BLOCK_TOKENS } from '../../../kernels/attention/shape.js';
import { engineTarget, type ServedEngine } from '../../../../bench/serve/targets/engine-target.js';
import { serverTarget } from '../../../../bench/serve/targets/server-target.js';
import type { Target } from '../../../../bench/serve/targets/target.js';
import type { EngineInfo, EngineOptions } from '../../../engine/api.js';
import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { readConfig } from '../../../model/read-config.js';
import { nodeHost } from '../../../platform/node/host.js';
import { loadEngine } from '../../load.js';
import { engineOptions } from '../../options/common.js';
import { LoadingBar } from '../../terminal/progress.js';
import { stopSignal } from '../../run.js';
import type { BenchServeFlags } from './options.js';

/** What is measured, and what is known of it once it was opened. */
export interface ChosenTarget {
  readonly target: Target;
  readonly backend: 'ridgepoint' | 'openai' | 'openai-chat';
  readonly sequences: number;
  readonly options: Record<string, unknown>;
  readonly info: () => EngineInfo | undefined;
  readonly server: () => { base_url: string; model: string } | null;
}

/**
 * @param sequences that should run together, unless the flags say
 * @param lengths tokens of each request, from which follows how large a cache must be
 */
export async function targetOf(
  flags: BenchServeFlags,
  sequences: number = ENGINE_OPTIONS.maxSequences.default,
  lengths: readonly number[] = [],
): Promise<ChosenTarget> {
  const temperature = flags.temperature ?? 1;
  if (flags.baseUrl !== undefined) return serverOf(flags, flags.baseUrl, temperature);
  const ignoreEos = flags.ignoreEos ?? true;
  const maxSequences = flags.maxNumSeqs ?? sequences;
  const kvCacheTokens = flags.kvCacheTokens ?? roomFor(lengths, maxSequences, await contextOf(flags));
  let info: EngineInfo | undefined;
  const tell = !(flags.quiet ?? false);
  const load = async (policy: PolicyName | undefined, onStep: EngineOptions['onStep']): Promise<ServedEngine> => {
    const options: EngineOptions & { policy?: PolicyName } = {
      ...engineOptions(flags),
      maxSequences,
      kvCacheTokens,
      decodeSloMs: flags.decodeSlo,
      onStep,
      ...(policy === undefined ? {} : { policy }),
      // It takes prompts whole, whatever the others cut them into.
      ...(policy === 'prefill-first' ? { prefillChunk: undefined } : {}),
    };
    return loadEngine(options, tell);
  };
  return {
    target: engineTarget(load, { temperature, ignoreEos }, (engine) => (info = engine.info)),
    backend: 'ridgepoint',
    sequences: maxSequences,
    options: {
      temperature,
      ignore_eos: ignoreEos,
      max_num_seqs: maxSequences,
      kv_cache_tokens: kvCacheTokens,
      prefill_chunk: flags.prefillChunk ?? null,
      decode_slo_ms: flags.decodeSlo ?? null,
    },
    info: () => info,
    server: () => null,
  };
}

function serverOf(flags: BenchServeFlags, baseUrl: string, temperature: number): ChosenTarget {
  const ignoreEos = flags.ignoreEos ?? false;
  const apiKey = flags.apiKey ?? process.env.OPENAI_API_KEY;
  if (apiKey !== undefined) keepSecret(apiKey);
  const endpoint = flags.endpoint ?? 'completions';
  let model = flags.servedModel;
  const options = {
    baseUrl,
    apiKey,
    model,
    endpoint,
    temperature,
    ignoreEos,
    vocab: flags.vocabSize,
    extraBody: flags.extraBody,
    contextLength: flags.contextLength,
  };
  return {
    target: serverTarget(options, (server) => (model = server.model)),
    backend: endpoint === 'chat' ? 'openai-chat' : 'openai',
    sequences: 1,
    options: { temperature, ignore_eos: ignoreEos, endpoint, extra_body: flags.extraBody ?? null },
    info: () => undefined,
    server: () => ({ base_url: baseUrl, model: model ?? 'unknown' }),
  };
}

/** The longest sequence the engine will hold, which is known only from the model. */
async function contextOf({ model, contextLength, quiet }: BenchServeFlags): Promise<number> {
  if (contextLength !== undefined) return contextLength;
  const bar = quiet ? undefined : new LoadingBar(model ?? 'tiny-tales');
  try {
    const found = await nodeHost.openModel(model, { signal: stopSignal, onProgress: bar?.report });
    return Math.min(readConfig(found).maxPositions, ENGINE_OPTIONS.contextLength.default);
  } finally {
    bar?.end();
  }
}

/** Room for the longest requests together. */
function roomFor(lengths: readonly number[], sequences: number, context: number): number {
  const blocks = lengths.map((tokens) => Math.ceil(Math.min(tokens, context) / BLOCK_TOKENS)).sort((a, b) => b - a);
  const together = blocks.slice(0, sequences).reduce((sum, each) => sum + each, 0);
  return Math.max(BLOCK_TOKENS * together, context);
}
