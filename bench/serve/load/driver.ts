import type { PlannedRequest } from '../../../src/traffic/workload.js';

/** How a request ended that the server did not fail. */
export interface Reply {
  /** As the server counts them; undefined where it does not say. */
  readonly promptTokens: number | undefined;
  readonly outputTokens: number | undefined;
  /** The server's word for why it ended. */
  readonly finish: string;
}

/** A request under way. */
export interface Sending {
  /** Called when tokens arrive, at once and with their number. */
  readonly onTokens: (count: number) => void;
  /** Has the client give up. `send` then rejects or resolves, and soon. */
  readonly signal: AbortSignal;
}

/** What load is put on: an engine in this process, or a server. */
export interface LoadDriver {
  /** `ridgepoint` for an engine in this process, `openai` for a server. */
  readonly backend: string;
  /** Gets everything ready that does not belong to the time of a request, such as its prompt. */
  prepare(request: PlannedRequest): (sending: Sending) => Promise<Reply>;
}
