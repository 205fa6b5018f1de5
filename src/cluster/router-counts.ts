/** How much the last answer counts. */
const RECENT = 0.05;

/** What has become of requests that a router has had answered. */
export class RouterCounts {
  /** Attempts begun. */
  attempts = 0;
  /** Attempts that came to nothing, by why. */
  readonly lost = new Map<string, number>();
  /** Requests that went on after an attempt was lost, and milliseconds until their next token. */
  recoveries = 0;
  recoveryMs = 0;
  /** Times that ids in between were missing and were asked for again. */
  gaps = 0;
  /** Prompts whose keys and values went from one worker to another, whole or in part. */
  transfers = 0;
  transferBytes = 0;
  transferMs = 0;
  /** Those that did not come whole, by why. */
  readonly fallbacks = new Map<string, number>();

  /** Workers that were moved from one phase to the other. */
  moves = 0;
  /** Tokens that answers have, as far as it is known: more recent ones count more. */
  answerTokens = 64;

  answered(tokens: number): void {
    this.answerTokens += RECENT * (tokens - this.answerTokens);
  }

  lose(reason: string): void {
    this.lost.set(reason, (this.lost.get(reason) ?? 0) + 1);
  }

  recovered(ms: number): void {
    this.recoveries++;
    this.recoveryMs += ms;
  }

  transferred({ bytes, ms, missing }: { bytes: number; ms: number; missing?: string }): void {
    this.transfers++;
    this.transferBytes += bytes;
    this.transferMs += ms;
    if (missing !== undefined) this.fallbacks.set(missing, (this.fallbacks.get(missing) ?? 0) + 1);
  }
}
