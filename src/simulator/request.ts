import type { FirstTokenAt } from './cluster.js';
import { TokenTimes } from './token-times.js';

/** A request as it comes. */
export interface SimulatedRequest {
  readonly index: number;
  /** Seconds since the beginning. */
  readonly arrival: number;
  readonly promptTokens: number;
  /** Tokens of the answer, at least one. */
  readonly outputTokens: number;
  /** Names of the blocks its prompt fills, for the prefix cache. */
  readonly blockNames?: readonly string[];
  /** Seconds after which its client leaves. */
  readonly patience?: number;
}

export type SimulatedStatus = 'waiting' | 'completed' | 'aborted' | 'refused';

/** What became of it. Times are seconds since the beginning. */
export class RequestTrace {
  status: SimulatedStatus = 'waiting';
  /** Why it was refused. */
  refusal: string | undefined;
  /** When its first chunk was computed; NaN before. */
  firstRun = NaN;
  /** When its keys and values were on the machine that decodes; NaN without a transfer. */
  transferred = NaN;
  end = NaN;
  #made = NaN;
  readonly tokens: TokenTimes;

  constructor(
    readonly request: SimulatedRequest,
    keepTokens: boolean,
  ) {
    this.tokens = new TokenTimes(keepTokens);
  }

  /** Its keys and values are where it goes on. @param firstTokenAt where its first token counts */
  arrived(now: number, firstTokenAt: FirstTokenAt = 'prefill'): void {
    this.transferred = now;
    this.#made = this.tokens.first;
    if (firstTokenAt === 'decode') this.tokens.delayFirst(now);
  }

  /** When the first token was made, which is when it counts unless that is where it is decoded. */
  get made(): number {
    return Number.isNaN(this.transferred) ? this.tokens.first : this.#made;
  }

  /** Seconds from arrival to the first token. */
  get ttft(): number {
    return this.tokens.first - this.request.arrival;
  }

  /** (E2E - TTFT) / (n - 1), seconds; NaN for a single token. */
  get tpot(): number {
    return this.tokens.count > 1 ? (this.tokens.last - this.tokens.first) / (this.tokens.count - 1) : NaN;
  }

  get e2e(): number {
    return this.tokens.last - this.request.arrival;
  }
}
