import type { Moment } from '../scheduler/moment.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import { forecast, type Expected, type Newcomer, type StepMs } from './forecast.js';

/** What a request is promised, in milliseconds: its TTFT, and the mean of the gaps between its tokens. */
export interface Slo {
  readonly ttftMs?: number;
  readonly itlMs?: number;
}

export type SloMeasure = 'ttft' | 'itl';

/** Why a request cannot be taken, in numbers. */
export interface SloRefusal {
  readonly measure: SloMeasure;
  /** Whether it is the request's own promise that would break, or that of somebody who has been let in. */
  readonly own: boolean;
  readonly promisedMs: number;
  readonly expectedMs: number;
  /** When it could be kept, as far as one can see. */
  readonly retryMs: number;
}

export type Verdict =
  | { readonly kind: 'enter' }
  /** Not now: asked again after so many milliseconds it may get in with every promise kept. */
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'refuse'; readonly refusal: SloRefusal };

export interface PromisesOptions {
  /** Where the scheduler stands. */
  readonly moment: () => Moment;
  /** Milliseconds of a step as things are. */
  readonly price: StepMs;
  /** Tokens a sequence is taken to have at its end. */
  readonly lengthOf: (sequence: ScheduledSequence) => number;
  /** How many times as long as forecast a time may turn out; 1 or more. */
  readonly margin?: () => number;
}

/** What was promised to somebody who is in, or waits at the door. */
interface Kept {
  readonly slo: Slo;
  readonly arrivedAt: number;
  firstAt: number | undefined;
  /** When it is to be let in, where it waits at the door. */
  enterAt: number | undefined;
}

interface Break {
  readonly measure: SloMeasure;
  readonly sequence: ScheduledSequence;
  readonly promisedMs: number;
  readonly expectedMs: number;
}

/** Moments at which a request that cannot get in at once might. */
const MOST_TRIES = 4;
/** Shortest wait before a request that waits is looked at again, in milliseconds. */
const LEAST_WAIT = 1;
/** Further tokens over which gaps are looked at. */
const LOOK_TOKENS = 64;

/**
 * Decides who is let in, by what the forecast says of everybody's promise: a newcomer whose own promise would break is
 * refused at once, one who would break another's waits at the door as long as it can. Pure: a server and a simulator
 * drive the same code. All times are milliseconds of one clock.
 */
export class Promises {
  readonly #kept = new Map<ScheduledSequence, Kept>();
  readonly #options: PromisesOptions;

  constructor(options: PromisesOptions) {
    this.#options = options;
  }

  /** Promises made and not yet kept or broken. */
  get open(): number {
    return this.#kept.size;
  }

  /**
   * May it come in? One that is told to wait is counted with until it is asked about again, or dropped.
   *
   * @param arrivedAt when its request came
   */
  ask(sequence: ScheduledSequence, slo: Slo, arrivedAt: number, now: number): Verdict {
    this.#kept.delete(sequence);
    if (this.#kept.size === 0 && slo.ttftMs === undefined && slo.itlMs === undefined) return { kind: 'enter' };
    const own: Kept = { slo, arrivedAt, firstAt: undefined, enterAt: now };
    const moment = this.#options.moment();
    // Whom it would break nothing for has been broken already, or would be without it.
    const broken = new Set(this.#breaks(moment, now).map(({ sequence, measure }) => `${sequence.id} ${measure}`));
    const breaks = (enterAt: number): Break | undefined => {
      own.enterAt = enterAt;
      this.#kept.set(sequence, own);
      const found = this.#breaks(moment, now).find(
        (each) => each.sequence === sequence || !broken.has(`${each.sequence.id} ${each.measure}`),
      );
      this.#kept.delete(sequence);
      return found;
    };
    const first = breaks(now);
    if (first === undefined) {
      this.#kept.set(sequence, { ...own, enterAt: undefined });
      return { kind: 'enter' };
    }
    // Its own TTFT only gets worse by waiting; anything else may be mended when others have ended.
    const hopeless = first.sequence === sequence && first.measure === 'ttft';
    const latest = slo.ttftMs === undefined ? Infinity : arrivedAt + slo.ttftMs - now;
    const ends = hopeless ? [] : this.#ends(moment, latest);
    for (const ms of ends) {
      if (breaks(now + ms) !== undefined) continue;
      this.#kept.set(sequence, { ...own, enterAt: now + ms });
      return { kind: 'wait', ms: Math.max(LEAST_WAIT, ms) };
    }
    if (slo.ttftMs === undefined && slo.itlMs === undefined) {
      // Nothing was promised to it, so it has time.
      return { kind: 'wait', ms: Math.max(LEAST_WAIT, ends[0] ?? first.promisedMs) };
    }
    const { measure, promisedMs } = first;
    const expectedMs = hopeless ? this.#firstMs(sequence, moment) + now - arrivedAt : first.expectedMs;
    const retryMs = hopeless ? expectedMs - promisedMs : (ends[0] ?? promisedMs);
    return { kind: 'refuse', refusal: { measure, own: first.sequence === sequence, promisedMs, expectedMs, retryMs } };
  }

  /** What waited at the door is in, and has a sequence of the scheduler's own from now on. */
  entered(outline: ScheduledSequence, sequence: ScheduledSequence): void {
    const kept = this.#kept.get(outline);
    if (kept === undefined) return;
    this.#kept.delete(outline);
    this.#kept.set(sequence, kept);
  }

  /** Its first token has come. */
  first(sequence: ScheduledSequence, at: number): void {
    const kept = this.#kept.get(sequence);
    if (kept !== undefined) kept.firstAt ??= at;
  }

  /** It has ended, or does not want to come in any more. */
  drop(sequence: ScheduledSequence): void {
    this.#kept.delete(sequence);
  }

  /** Promises that would break if nobody else came. */
  #breaks(moment: Moment, now: number): Break[] {
    if (this.#kept.size === 0) return [];
    const { price, lengthOf, margin = () => 1 } = this.#options;
    const newcomers: Newcomer[] = [];
    for (const [sequence, { enterAt }] of this.#kept) {
      if (enterAt !== undefined) newcomers.push({ sequence, inMs: Math.max(0, enterAt - now) });
    }
    const watched = [...this.#kept].flatMap(([sequence, { slo }]) =>
      slo.itlMs !== undefined || (slo.ttftMs !== undefined && sequence.delivered === 0) ? [sequence] : [],
    );
    const untilMs = this.#horizon(now);
    // Of who was promised a TTFT alone, one more token says all.
    const tokens = (sequence: ScheduledSequence): number =>
      sequence.delivered + (this.#kept.get(sequence)?.slo.itlMs === undefined ? 1 : LOOK_TOKENS);
    const found = forecast(moment, price, { newcomers, lengthOf, watched, untilMs, tokens });
    return watched.flatMap((sequence) => {
      const kept = this.#kept.get(sequence)!;
      const expected = found.get(sequence);
      return expected === undefined ? [] : breaksOf(sequence, kept, expected, now, margin());
    });
  }

  /** Milliseconds from now after which every promise is kept or broken. */
  #horizon(now: number): number {
    let latest = 0;
    for (const [{ delivered }, { slo, arrivedAt, enterAt }] of this.#kept) {
      const { ttftMs = Infinity, itlMs = 0 } = slo;
      // Without a promise about it, its first token may come whenever it comes.
      const first = delivered > 0 ? 0 : Math.max(arrivedAt + ttftMs, enterAt ?? now) - now;
      latest = Math.max(latest, first + LOOK_TOKENS * itlMs);
    }
    return latest;
  }

  /** When the first token of a newcomer comes, however long that takes: milliseconds from now. */
  #firstMs(sequence: ScheduledSequence, moment: Moment): number {
    const { price, lengthOf, margin = () => 1 } = this.#options;
    const options = { newcomers: [{ sequence, inMs: 0 }], watched: [sequence], lengthOf, tokens: () => 1 };
    return margin() * (forecast(moment, price, options).get(sequence)?.firstMs ?? Infinity);
  }

  /** When others end, in milliseconds from now. */
  #ends(moment: Moment, latest: number): number[] {
    const { price, lengthOf } = this.#options;
    const ends = [...forecast(moment, price, { lengthOf, untilMs: latest }).values()]
      .flatMap(({ ended, lastMs }) => (ended && lastMs !== undefined && lastMs < latest ? [lastMs] : []))
      .sort((a, b) => a - b);
    return ends.slice(0, MOST_TRIES);
  }
}

function breaksOf(
  sequence: ScheduledSequence,
  { slo, arrivedAt, firstAt }: Kept,
  { firstMs, lastMs, tokens }: Expected,
  now: number,
  margin: number,
): Break[] {
  const breaks: Break[] = [];
  const first = firstAt ?? now + margin * (firstMs ?? Infinity);
  const ttft = first - arrivedAt;
  if (firstAt === undefined && slo.ttftMs !== undefined && ttft > slo.ttftMs) {
    breaks.push({ measure: 'ttft', sequence, promisedMs: slo.ttftMs, expectedMs: ttft });
  }
  if (slo.itlMs !== undefined && lastMs !== undefined && tokens > 1) {
    const gap = (now + margin * lastMs - first) / (tokens - 1);
    if (gap > slo.itlMs) breaks.push({ measure: 'itl', sequence, promisedMs: slo.itlMs, expectedMs: gap });
  }
  return breaks;
}
