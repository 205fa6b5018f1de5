import type { FirstTokenAt } from './cluster.js';
import { TokenTimes } from './token-times.js';
import type { TraceColumns } from './trace-columns.js';

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
  readonly tokens: TokenTimes;
  readonly #columns: TraceColumns;
  readonly #at: number;

  /** @param at its row of the columns */
  constructor(
    readonly request: SimulatedRequest,
    columns: TraceColumns,
    { at, keepTokens }: { readonly at: number; readonly keepTokens: boolean },
  ) {
    this.#columns = columns;
    this.#at = at;
    this.tokens = new TokenTimes(columns, at, keepTokens);
  }

  /** When its first chunk was computed; NaN before. */
  get firstRun(): number {
    return this.#columns.firstRun[this.#at];
  }

  /** When its keys and values were on the machine that decodes; NaN without a transfer. */
  get transferred(): number {
    return this.#columns.transferred[this.#at];
  }

  get end(): number {
    return this.#columns.end[this.#at];
  }

  /** Its first chunk is computed from now on, if none was. */
  began(now: number): void {
    if (Number.isNaN(this.firstRun)) this.#columns.firstRun[this.#at] = now;
  }

  ended(status: Exclude<SimulatedStatus, 'waiting'>, now: number): void {
    this.status = status;
    this.#columns.end[this.#at] = now;
  }

  /** Its keys and values are where it goes on. @param firstTokenAt where its first token counts */
  arrived(now: number, firstTokenAt: FirstTokenAt = 'prefill'): void {
    this.#columns.transferred[this.#at] = now;
    this.#columns.made[this.#at] = this.tokens.first;
    if (firstTokenAt === 'decode') this.tokens.delayFirst(now);
  }

  /** When the first token was made, which is when it counts unless that is where it is decoded. */
  get made(): number {
    return Number.isNaN(this.transferred) ? this.tokens.first : this.#columns.made[this.#at];
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
