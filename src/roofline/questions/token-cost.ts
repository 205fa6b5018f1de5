import type { Request } from '../predict/predict.js';
import { decodeStep } from '../predict/decode-line.js';
import { phaseSummary } from '../predict/phase-summary.js';
import type { Predictor } from '../predict/predictor.js';
import { splitRequest, type Network } from './split.js';

/** What an hour of one chip costs, and what it draws while it works. */
export interface ChipPrice {
  readonly usdPerHour?: number;
  readonly watts?: number;
}

/** A platform with its price. */
export interface Priced {
  readonly predictor: Predictor;
  readonly price: ChipPrice;
}

/** Of a million tokens of one phase. */
export interface PhaseCost {
  readonly hardware: string;
  /** Seconds that a machine is busy with the phase, for a batch. */
  readonly seconds: number;
  /** Undefined where the price is not known. */
  readonly dollars: number | undefined;
  /** Megajoules a million tokens, which is joules a token; undefined where the watts are not known. */
  readonly megajoules: number | undefined;
  /** 1 - MFU. */
  readonly idleCompute: number;
}

export interface TokenCost {
  /** Prompt tokens, prefill; and output tokens, decode. */
  readonly prefill: PhaseCost;
  readonly decode: PhaseCost;
  /** Of a million output tokens with the prompts that they answer. */
  readonly dollars: number | undefined;
  readonly megajoules: number | undefined;
  readonly ttftSeconds: number;
  readonly tpotSeconds: number | undefined;
  readonly transferSeconds: number;
}

const MILLION = 1e6;

/** Machine-seconds for each of `tokens` tokens, as dollars and megajoules a million of them. */
function phaseCost({ predictor, price }: Priced, seconds: number, tokens: number, idleCompute: number): PhaseCost {
  const chipSeconds = (MILLION * predictor.chips * seconds) / tokens;
  return {
    hardware: predictor.hardware.id,
    seconds,
    dollars: price.usdPerHour === undefined ? undefined : (price.usdPerHour * chipSeconds) / 3600,
    megajoules: price.watts === undefined ? undefined : (price.watts * chipSeconds) / 1e6,
    idleCompute,
  };
}

/**
 * What tokens cost on machines that are never idle: price and watts of the time each phase takes. The first output
 * token is prefill's work, so decode pays for the others and is spread over all.
 *
 * @param prefill where prompts are processed
 * @param decode where answers are made; the same platform where phases are not split
 * @param network between the two; undefined where phases are not split
 */
export function tokenCost(prefill: Priced, decode: Priced, request: Request, network?: Network): TokenCost {
  const { promptTokens, outputTokens, batch = 1, cachedTokens = 0 } = request;
  const times = splitRequest(prefill.predictor, decode.predictor, request, network);
  const steps = outputTokens - 1;
  const prompts = prefill.predictor.prefillSteps(promptTokens - cachedTokens, batch, cachedTokens);
  const halfway = promptTokens + Math.floor(steps / 2);
  const stepSeconds = decode.predictor.decodeStepSeconds(halfway, batch);
  const decoding = phaseSummary(decode.predictor, [decodeStep(halfway, batch)], stepSeconds);
  const costs = {
    prefill: phaseCost(
      prefill,
      times.prefillSeconds,
      batch * promptTokens,
      phaseSummary(prefill.predictor, prompts, times.prefillSeconds).idleCompute,
    ),
    decode: phaseCost(decode, times.decodeSeconds, batch * outputTokens, decoding.idleCompute),
  };
  const both = (key: 'dollars' | 'megajoules'): number | undefined => {
    const [prompt, output] = [costs.prefill[key], costs.decode[key]];
    return prompt === undefined || output === undefined ? undefined : output + (prompt * promptTokens) / outputTokens;
  };
  return {
    ...costs,
    dollars: both('dollars'),
    megajoules: both('megajoules'),
    ttftSeconds: times.prefillSeconds,
    tpotSeconds: steps > 0 ? times.decodeSeconds / steps : undefined,
    transferSeconds: times.transferSeconds,
  };
}
