import { ApiError, badRequest } from '../errors.js';

/** How long a client is asked to wait before it tries again, in seconds. */
const RETRY_AFTER = '1';

/**
 * Counts the choices being generated or delivered and refuses more than the server has room for, so that its memory
 * is bounded and a client learns early that its request would wait for long.
 */
export class Admission {
  #inUse = 0;

  /** @param capacity choices that may run or wait together */
  constructor(readonly capacity: number) {}

  get inUse(): number {
    return this.#inUse;
  }

  /**
   * Takes places for a request's choices.
   *
   * @returns gives them back; safe to call twice
   * @throws ApiError 400 where there are more choices than places, 429 where too few are free
   */
  enter(choices: number): () => void {
    if (choices > this.capacity) {
      throw badRequest(
        `the request asks for ${choices} choices, and this server holds ${this.capacity} at a time`,
        'n',
      );
    }
    if (this.#inUse + choices > this.capacity) {
      throw new ApiError(
        429,
        `the queue is full: ${this.#inUse} of ${this.capacity} places are taken; try again later`,
        {
          type: 'rate_limit_error',
          code: 'queue_full',
          headers: { 'retry-after': RETRY_AFTER },
        },
      );
    }
    this.#inUse += choices;
    let left = false;
    return () => {
      if (!left) this.#inUse -= choices;
      left = true;
    };
  }
}
