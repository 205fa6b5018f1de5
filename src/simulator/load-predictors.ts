export const LOAD_PREDICTORS = ['last', 'ewma', 'holt'] as const;
export type LoadPredictorName = (typeof LOAD_PREDICTORS)[number];

/** Says what comes next in a series, one value at a time. */
export interface LoadPredictor {
  /** Takes the value of the period that has passed. */
  observe(value: number): void;
  /** The value of the next period; undefined before any was seen. */
  readonly next: number | undefined;
}

/** Weights of what was seen last, in level and in trend. */
const [LEVEL, TREND] = [0.5, 0.3];

class Last implements LoadPredictor {
  next: number | undefined;

  observe(value: number): void {
    this.next = value;
  }
}

/** A mean that forgets: half of it is the last period. */
class Ewma implements LoadPredictor {
  next: number | undefined;

  observe(value: number): void {
    this.next = this.next === undefined ? value : LEVEL * value + (1 - LEVEL) * this.next;
  }
}

/** Level and trend, each a mean that forgets (Holt, 1957); without seasons, of which minutes have none. */
class Holt implements LoadPredictor {
  #level: number | undefined;
  #trend = 0;

  get next(): number | undefined {
    return this.#level === undefined ? undefined : Math.max(0, this.#level + this.#trend);
  }

  observe(value: number): void {
    if (this.#level === undefined) {
      this.#level = value;
      return;
    }
    const before = this.#level;
    this.#level = LEVEL * value + (1 - LEVEL) * (before + this.#trend);
    this.#trend = TREND * (this.#level - before) + (1 - TREND) * this.#trend;
  }
}

const MAKERS: Readonly<Record<LoadPredictorName, new () => LoadPredictor>> = { last: Last, ewma: Ewma, holt: Holt };
export const loadPredictor = (name: LoadPredictorName): LoadPredictor => new MAKERS[name]();

/** Forecasts held against what came. */
export class ForecastErrors {
  #sum = 0;
  #count = 0;

  note(forecast: number | undefined, came: number): void {
    if (forecast === undefined || came === 0) return;
    this.#sum += Math.abs(forecast / came - 1);
    this.#count++;
  }

  /** Mean of the absolute errors as shares of what came; undefined where nothing was forecast. */
  get mean(): number | undefined {
    return this.#count === 0 ? undefined : this.#sum / this.#count;
  }
}
