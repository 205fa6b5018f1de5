const unknown = (requests: number): Float64Array => new Float64Array(requests).fill(NaN);

/**
 * What becomes of the requests of a run, in seconds since its beginning, a column each: 52 bytes a request, where as
 * fields of objects each number would take 24 and be moved about by the collector. NaN where it has not come to that.
 */
export class TraceColumns {
  readonly firstRun: Float64Array;
  readonly transferred: Float64Array;
  readonly end: Float64Array;
  /** When the first token was made, for requests that were transferred. */
  readonly made: Float64Array;
  /** When the first token counts, and the last one. */
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly tokens: Int32Array;

  /** @param requests of the whole run */
  constructor(requests: number) {
    this.firstRun = unknown(requests);
    this.transferred = unknown(requests);
    this.end = unknown(requests);
    this.made = unknown(requests);
    this.first = unknown(requests);
    this.last = unknown(requests);
    this.tokens = new Int32Array(requests);
  }
}
