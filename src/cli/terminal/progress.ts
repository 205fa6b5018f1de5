import type { LoadProgress } from '../../engine/api.js';
import { visibleLine } from './output.js';
import { dim, isRewritable, type Sink } from './style.js';

/** How far loading has come, or quantising a checkpoint to save it. */
export type ShownProgress = Omit<LoadProgress, 'stage'> & {
  readonly stage: LoadProgress['stage'] | 'quantizing';
};

/** Loading faster than this shows nothing. */
const SHOW_AFTER_MS = 300;
const REDRAW_MS = 100;
/** Without a terminal a line comes after this long, then after twice as long, and so on. */
const FIRST_LINE_MS = 10_000;
const WIDEST_BAR = 30;

const DOING = {
  waiting: 'waiting for another download of it',
  checking: 'checking a file',
  download: 'downloading',
  tuning: 'choosing kernels',
  weights: 'loading weights',
  pipelines: 'compiling kernels',
  quantizing: 'quantising weights',
} as const;

/** Shows on standard error how far loading has come: one line rewritten on a terminal, rare plain lines elsewhere. */
export class LoadingBar {
  readonly #begin = performance.now();
  readonly #name: string;
  readonly #stages = new Map<ShownProgress['stage'], ShownProgress & { since: number; from: number }>();
  readonly #timer: NodeJS.Timeout;
  #drawn = false;
  #latest: ShownProgress['stage'] | undefined;
  #nextLine = FIRST_LINE_MS;
  readonly #sink: Sink;

  constructor(name: string, sink: Sink = process.stderr) {
    this.#sink = sink;
    this.#name = visibleLine(name);
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS).unref();
  }

  readonly report = (progress: ShownProgress): void => {
    const { since, from } = this.#stages.get(progress.stage) ?? { since: performance.now(), from: progress.done };
    this.#stages.set(progress.stage, { ...progress, since, from });
    this.#latest = progress.stage;
  };

  /** Clears the line. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#drawn) this.#sink.write('\r\x1b[K');
    this.#drawn = false;
  }

  #draw(): void {
    const elapsed = performance.now() - this.#begin;
    // What is under way and comes first; kernels compile while weights load, so they show only when left over.
    const order = ['checking', 'download', 'tuning', 'weights', 'pipelines', 'quantizing'] as const;
    const stage = (this.#latest === 'waiting' ? (['waiting'] as const) : order)
      .map((key) => this.#stages.get(key))
      .find((each) => each !== undefined && each.done < each.total);
    if (stage === undefined) return;
    if (isRewritable(this.#sink)) {
      if (elapsed < SHOW_AFTER_MS) return;
      const line = barLine(
        this.#name,
        stage,
        stage.done - stage.from,
        performance.now() - stage.since,
        this.#sink.columns,
      );
      this.#sink.write(`\r${dim(line, this.#sink)}\x1b[K`);
      this.#drawn = true;
    } else if (elapsed >= this.#nextLine) {
      const { done, total } = stage;
      const facts = figures(stage, done - stage.from, performance.now() - stage.since);
      const parts = stage.stage === 'waiting' ? facts : [percent(done, total), ...facts];
      this.#sink.write(`ridgepoint: ${DOING[stage.stage]}: ${parts.join(', ')}\n`);
      this.#nextLine = elapsed * 2;
    }
  }
}

const percent = (done: number, total: number): string => `${Math.floor((100 * done) / Math.max(total, 1))} %`;

/** Amount, speed and time left. */
function figures({ stage, item, done, total, unit }: ShownProgress, recent: number, ms: number): string[] {
  if (stage === 'waiting') return [visibleLine(item)];
  if (unit !== 'bytes') return [`${done} of ${total}`];
  const [scale, name] = total >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  const list = [`${(done / scale).toFixed(1)} of ${(total / scale).toFixed(1)} ${name}`];
  const rate = recent / (ms / 1000); // bytes a second
  if (ms < 200 || recent <= 0) return list;
  list.push(rate >= 1e8 ? `${(rate / 1e9).toFixed(2)} GB/s` : `${(rate / 1e6).toFixed(1)} MB/s`);
  const left = Math.ceil((total - done) / rate);
  return [...list, `${inMinutes(left)} left`];
}

/** The line for a terminal of so many columns: what does not fit is left out, the bar first. */
export function barLine(name: string, stage: ShownProgress, recent: number, ms: number, columns = 80): string {
  const { done, total } = stage;
  const facts = figures(stage, recent, ms);
  const head = `${name}: ${DOING[stage.stage]}`;
  const room = columns - 1;
  if (stage.stage === 'waiting') return `${head} (${facts.join()})`.slice(0, Math.max(room, 0));
  for (let shown = facts.length; shown >= 0; shown--) {
    const text = [percent(done, total), ...facts.slice(0, shown)].join('  ');
    const width = Math.min(WIDEST_BAR, room - head.length - text.length - 5);
    if (width >= 8) {
      const filled = Math.round((width * done) / Math.max(total, 1));
      return `${head} [${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${text}`;
    }
    if (head.length + 2 + text.length <= room) return `${head}  ${text}`;
  }
  return percent(done, total).slice(0, Math.max(room, 0));
}

const inMinutes = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;

/** Without a terminal a line comes at most this often. */
const LINE_EVERY_MS = 10_000;
const LINE_REDRAW_MS = 50;

/** Shows on standard error how far a long run has come and when it will be done. */
export class RunProgress {
  readonly #began = performance.now();
  #drawn = false;
  #lastDrawn = 0;
  #lastLine = performance.now();
  readonly #tell: boolean;
  readonly #sink: Sink;

  constructor(tell: boolean, sink: Sink = process.stderr) {
    this.#tell = tell;
    this.#sink = sink;
  }

  readonly report = ({ id, done, total }: { id: string; done: number; total: number }): void => {
    if (total > 0) this.show(progressText(id, done, total, performance.now() - this.#began));
  };

  /** Shows a line in place of the last one. */
  show(text: string): void {
    if (!this.#tell) return;
    const now = performance.now();
    if (isRewritable(this.#sink)) {
      if (this.#drawn && now - this.#lastDrawn < LINE_REDRAW_MS) return;
      this.#lastDrawn = now;
      this.#sink.write(`\r${dim(text.slice(0, (this.#sink.columns ?? 80) - 1), this.#sink)}\x1b[K`);
      this.#drawn = true;
    } else if (now - this.#lastLine >= LINE_EVERY_MS) {
      this.#sink.write(`ridgepoint: ${text}\n`);
      this.#lastLine = now;
    }
  }

  /** Clears the line. */
  end(): void {
    if (this.#drawn) this.#sink.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** For example `12 of 80 runs (15 %), 1 min 20 s left: tpot c128 b4 g32`. */
export function progressText(id: string, done: number, total: number, elapsedMs: number): string {
  const share = `${done} of ${total} runs (${Math.floor((100 * done) / total)} %)`;
  if (done === 0) return `${share}: ${id}`;
  const left = Math.ceil(((elapsedMs / done) * (total - done)) / 1000);
  return `${share}, ${inMinutes(left)} left: ${id}`;
}
