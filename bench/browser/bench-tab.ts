import type { LoadProgress } from '../../src/engine/api.js';
import { wantedModel } from '../../src/platform/browser/models/names.js';
import { keptCalibrations } from '../../src/web/calibrations.js';
import type { PageEngine } from '../../src/web/later-tabs.js';
import { element } from '../../src/web/page.js';
import { FULL, QUICK } from '../defaults.js';
import type { BenchOptions, BenchResult } from '../schema.js';
import { overview } from '../tables/overview.js';
import type { BenchNews, BenchRequest } from './bench-messages.js';
import { fromMarkdown } from './from-markdown.js';
import { button, row, statusLine } from './parts.js';
import { runInWorker } from './run-in-worker.js';
import { save } from './save.js';

const PLANS: Readonly<Record<string, { readonly name: string; readonly options: BenchOptions }>> = {
  quick: { name: 'quick: 45 s and loading', options: QUICK },
  full: { name: 'full: every batch at every context', options: FULL },
};

const STAGES: Readonly<Record<LoadProgress['stage'], string>> = {
  waiting: 'waiting for another download',
  checking: 'checking files',
  download: 'downloading',
  tuning: 'choosing kernels',
  weights: 'loading weights',
  pipelines: 'compiling kernels',
};

/** A request to the worker, for a model and the GPU of this page. */
function requestOf({ chosen: { model, dtype } }: PageEngine, options: BenchOptions): BenchRequest {
  const pageUrl = location.href;
  return {
    options,
    engine: { dtype },
    model: model === undefined ? undefined : wantedModel(model),
    places: {
      modelsUrl: new URL('models/', pageUrl).href,
      pageUrl,
      hubUrl: 'https://huggingface.co/',
      hubToken: undefined,
      store: true,
    },
    commit: null,
    known: keptCalibrations(),
  };
}

/** The tab "Bench": the plan of `ridgepoint bench` in this browser. */
export class BenchTab {
  readonly #engine: PageEngine;
  readonly #done: (result: BenchResult) => void;
  readonly #plan = document.createElement('select');
  readonly #start = button('Measure', () => void this.#measure());
  readonly #stop = button('Stop', () => this.#running?.abort());
  readonly #download = button('Download the result', () => this.#save());
  readonly #status = statusLine('bench-status');
  readonly #step = element('p', 'figures');
  readonly #bar = document.createElement('progress');
  readonly #report = element('div', '');
  #running: AbortController | undefined;
  #result: BenchResult | undefined;

  /** @param done told of each result */
  constructor(place: HTMLElement, engine: PageEngine, done: (result: BenchResult) => void) {
    this.#engine = engine;
    this.#done = done;
    const label = element('label', '', 'Plan') as HTMLLabelElement;
    label.htmlFor = this.#plan.id = 'bench-plan';
    for (const [value, { name }] of Object.entries(PLANS)) this.#plan.append(new Option(name, value));
    this.#start.id = 'bench-start';
    this.#stop.id = 'bench-stop';
    this.#download.id = 'bench-download';
    this.#bar.setAttribute('aria-label', 'Runs done');
    this.#report.id = 'bench-report';
    place.append(
      element(
        'p',
        '',
        'Measures prefill and decode of the model that the chat has, as "ridgepoint bench" does: time to the first token ' +
          'over prompt lengths, time a token over contexts and batches. The chat lets go of the GPU for it and loads the ' +
          'model again with the next message. The result is a file to set beside others, of any machine.',
      ),
      row(label, this.#plan, this.#start, this.#stop, this.#download),
      ...[this.#status, this.#step, this.#bar, this.#report],
    );
    this.#update();
  }

  async #measure(): Promise<void> {
    const running = (this.#running = new AbortController());
    this.#update();
    this.#status.classList.remove('wrong');
    this.#status.textContent = 'Loading an engine of its own.';
    try {
      const request = requestOf(this.#engine, PLANS[this.#plan.value].options);
      await this.#engine.release();
      const result = await runInWorker(request, (news) => this.#tell(news), running.signal);
      if (result.records.length === 0) {
        const why = running.signal.aborted ? 'stopped before anything was measured' : result.skipped[0]?.reason;
        throw new Error(why ?? 'the plan has no points for this model; load one with a longer context');
      }
      this.#result = result;
      this.#report.replaceChildren(...fromMarkdown(overview(result)));
      void this.#draw(result);
      this.#status.textContent = `${result.complete ? 'Measured' : 'Stopped'}; the result is among those of the tab Compare.`;
      this.#done(result);
    } catch (error) {
      this.#status.classList.add('wrong');
      this.#status.textContent = (error as Error).message;
    } finally {
      this.#running = undefined;
      this.#update();
    }
  }

  /** What draws is large, and loaded when there is something to draw. */
  async #draw(result: BenchResult): Promise<void> {
    try {
      const { figuresOf } = await import('./figures.js');
      const figures = await figuresOf(result, keptCalibrations());
      if (this.#result === result) this.#report.append(...figures);
    } catch (error) {
      this.#report.append(element('p', 'wrong', `Its figures cannot be drawn: ${(error as Error).message}`));
    }
  }

  #tell(news: Exclude<BenchNews, { result: unknown } | { error: unknown }>): void {
    if ('loading' in news) {
      const { stage, done, total } = news.loading;
      this.#show(STAGES[stage], done, total);
      return;
    }
    const { id, done, total } = news.progress;
    if (done === 0) this.#status.textContent = 'Measuring.';
    this.#show(`${done} of ${total} runs: ${id}`, done, total);
  }

  #show(text: string, done: number, total: number): void {
    this.#step.textContent = text;
    this.#bar.max = Math.max(total, 1);
    this.#bar.value = done;
  }

  #update(): void {
    const busy = this.#running !== undefined;
    this.#start.disabled = this.#plan.disabled = busy;
    this.#stop.disabled = !busy;
    this.#step.hidden = this.#bar.hidden = !busy;
    this.#download.disabled = busy || this.#result === undefined;
  }

  #save(): void {
    if (this.#result === undefined) return;
    const { context, date } = this.#result;
    const name = `${context.model} ${context.runtime} ${date.slice(0, 16)}`.replace(/[^\w.]+/g, '-');
    save(`${name}.json`, `${JSON.stringify(this.#result, null, 1)}\n`, 'application/json');
  }
}
