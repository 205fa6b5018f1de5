/** What became of a request. `interrupted`: the run was stopped before it ended. */
export type RequestStatus = 'completed' | 'aborted' | 'failed' | 'interrupted';

/** One request as the client saw it. */
export interface RequestRecord {
  readonly index: number;
  /** When it was due and when it was sent, in milliseconds since the beginning; they differ where a limit held it back. */
  readonly scheduledMs: number;
  readonly sentMs: number;
  readonly status: RequestStatus;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** When tokens arrived, in milliseconds since it was sent. */
  readonly arrivalsMs: readonly number[];
  /** How many came at each of these times. */
  readonly counts: readonly number[];
  /** When it ended, in milliseconds since it was sent. */
  readonly endMs: number;
  readonly finish?: string;
  readonly error?: string;
}

/** Everything about one run. Requests that the run was stopped before sending have no record. */
export interface LoadRecord {
  readonly planned: number;
  readonly requests: readonly RequestRecord[];
  /** From the beginning to the end of the last request, in milliseconds. */
  readonly durationMs: number;
  readonly interrupted: boolean;
}
