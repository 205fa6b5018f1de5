/** How long a candidate takes at least, made and timed, learnt from the last point that had some. */
export class KernelPace {
  #candidateMs = 0;

  /**
   * @param making milliseconds that making all of them took
   * @param timing milliseconds that timing them took
   * @param launches timed of each, of which `least` would have been enough
   */
  note(candidates: number, making: number, timing: number, launches: number, least: number): void {
    if (candidates === 0) return;
    this.#candidateMs = (making + timing * Math.min(1, least / Math.max(1, launches))) / candidates;
  }

  /** Candidates for which there is time; one at least, and all where nothing is known. */
  affordable(ms: number): number {
    return this.#candidateMs === 0 ? Infinity : Math.max(1, Math.floor(ms / this.#candidateMs));
  }
}
