import { memoryOf } from '../hardware/memory.js';
import type { Predictor } from '../predict/predictor.js';
import { splitRequest, type SplitRequest } from './split.js';

/** One pair of lengths on two platforms: alone on each, and prompts on the first with decoding on the second. */
export interface GainCell {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Seconds from arrival to the last token; undefined where the request does not fit. */
  readonly aloneSeconds: readonly [prefill: number | undefined, decode: number | undefined];
  /** Split, for each bandwidth asked for. */
  readonly split: readonly SplitRequest[];
  /** The better of the two alone over the split, for each bandwidth: above 1 splitting gains. Undefined as above. */
  readonly gains: readonly (number | undefined)[];
  /** Bytes a second from which on splitting gains; `Infinity` where no network is fast enough. */
  readonly gainsFrom: number | undefined;
  /** Where it does not fit. */
  readonly refused?: string;
}

export interface GainGrid {
  readonly promptLengths: readonly number[];
  readonly outputLengths: readonly number[];
  /** Bandwidths of the network. */
  readonly bytesPerSecond: readonly number[];
  readonly latencySeconds?: number;
}

/**
 * Where it pays to process prompts on one platform and to decode on another, a request alone on each: by length of
 * prompt, length of answer and bandwidth of the network between.
 */
export function gainMap(
  prefill: Predictor,
  decode: Predictor,
  { promptLengths, outputLengths, bytesPerSecond, latencySeconds = 0 }: GainGrid,
): GainCell[] {
  return promptLengths.flatMap((promptTokens) =>
    outputLengths.map((outputTokens): GainCell => {
      const request = { promptTokens, outputTokens };
      const all = promptTokens + outputTokens - 1;
      const fits = (on: Predictor, tokens: number): boolean => memoryOf(on, tokens, 1).fits;
      const alone = (on: Predictor): number | undefined =>
        fits(on, all) ? splitRequest(on, on, request, undefined).e2eSeconds : undefined;
      const aloneSeconds = [alone(prefill), alone(decode)] as const;
      const better = Math.min(...aloneSeconds.map((seconds) => seconds ?? Infinity));
      const split = bytesPerSecond.map((rate) =>
        splitRequest(prefill, decode, request, { bytesPerSecond: rate, latencySeconds }),
      );
      const apart = fits(prefill, promptTokens) && fits(decode, all);
      const [{ prefillSeconds, decodeSeconds, kvBytes }] = split;
      const left = better - prefillSeconds - decodeSeconds - latencySeconds;
      return {
        promptTokens,
        outputTokens,
        aloneSeconds,
        split,
        gains: split.map(({ e2eSeconds }) => (apart && Number.isFinite(better) ? better / e2eSeconds : undefined)),
        gainsFrom: apart ? (left > 0 ? kvBytes / left : Infinity) : undefined,
        ...(apart ? {} : { refused: `${decode.hardware.name} cannot hold ${all} tokens` }),
      };
    }),
  );
}
