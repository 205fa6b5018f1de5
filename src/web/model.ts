import type {
  BrowserEngineOptions,
  BrowserModel,
  BrowserModelSize,
  Engine,
  LoadProgress,
} from '../platform/browser/index.js';
import { deleteModel, Engine as Engines, listModels, sizeModel } from '../platform/browser/index.js';
import { element, megabytes, parts, say } from './page.js';

const STAGES: Record<LoadProgress['stage'], string> = {
  waiting: 'Waiting for',
  checking: 'Checking',
  download: 'Downloading',
  tuning: 'Measuring',
  weights: 'Loading',
  pipelines: 'Compiling',
};

const chosenDtype = (): 'auto' | 'int8' | 'int4' => parts.dtype.value as 'auto' | 'int8' | 'int4';

/** The engine of the page: at most one, loaded when it is needed. */
export class PageModel {
  #engine: Promise<Engine> | undefined;
  #model: BrowserModel | undefined;
  #loading = new AbortController();
  readonly #loaded: (engine: Engine) => void;

  /** @param loaded told of each engine that is there */
  constructor(loaded: (engine: Engine) => void) {
    this.#loaded = loaded;
  }

  /** Loads another model in place of the one that is there. */
  async choose(model: BrowserModel | undefined): Promise<void> {
    const released = this.release();
    this.#model = model;
    await released;
    await this.engine();
  }

  /** @throws RidgepointError as `Engine.load` */
  async engine(): Promise<Engine> {
    // One whose device was lost is of no use any more.
    const present = await this.#engine?.catch(() => undefined);
    if (present !== undefined && present.failure === undefined) return present;
    await present?.dispose();
    this.#engine = this.#load();
    return this.#engine;
  }

  /** What was chosen, for an engine elsewhere. */
  get chosen(): Pick<BrowserEngineOptions, 'model' | 'dtype'> {
    return { model: this.#model, dtype: chosenDtype() };
  }

  /** Frees the GPU for something else, and ends what is being loaded; the engine comes again when it is needed. */
  async release(): Promise<void> {
    const before = this.#engine;
    this.#engine = undefined;
    this.#loading.abort();
    if (before === undefined) return;
    await before.then((engine) => engine.dispose()).catch(() => undefined);
    say('The model is not loaded; it comes again with the next message.');
  }

  /** What is loaded already; undefined where nothing is. */
  present(): Promise<Engine | undefined> {
    return this.#engine?.catch(() => undefined) ?? Promise.resolve(undefined);
  }

  async #load(): Promise<Engine> {
    const { signal } = (this.#loading = new AbortController());
    const options: BrowserEngineOptions = {
      model: this.#model,
      dtype: chosenDtype(),
      workerUrl: new URL('ridgepoint-worker.js', location.href),
      modelsUrl: new URL('models/', location.href),
      signal,
    };
    parts.progress.hidden = false;
    parts.size.textContent = '';
    try {
      if (this.#model !== undefined) parts.size.textContent = sizeInWords(await sizeModel(options));
      const engine = await Engines.load({ ...options, onProgress: show });
      const { model, dtype, adapter, weightBytes } = engine.info;
      say(`${model} in ${dtype}, ${megabytes(weightBytes)} of weights on ${adapter}.`);
      this.#loaded(engine);
      return engine;
    } catch (error) {
      if (!signal.aborted) say((error as Error).message, { wrong: true });
      throw error;
    } finally {
      parts.progress.hidden = true;
      void showStored();
    }
  }
}

function show({ stage, item, done, total, unit }: LoadProgress): void {
  const amount = unit === 'bytes' && total > 0 ? ` (${megabytes(done)} of ${megabytes(total)})` : '';
  say(`${STAGES[stage]} ${item}${amount}`);
  parts.progress.value = total > 0 ? done / total : 0;
}

/** What a model will take, in a sentence or two. */
function sizeInWords({
  dtype,
  gpu,
  contextLength,
  coming,
  diskBytes,
  downloadSeconds,
  others,
}: BrowserModelSize): string {
  const cache = `${megabytes(gpu.kvCache)} for ${contextLength} tokens of context`;
  const takes = `It takes ${megabytes(gpu.total)} of the GPU's memory (${megabytes(gpu.weights)} of weights in ${dtype}, ${cache})`;
  const less = others
    .filter((other) => other.gpu.total < gpu.total)
    .map((other) => `${megabytes(other.gpu.total)} in ${other.dtype}`);
  const instead = less.length === 0 ? '' : `; it would take ${less.join(', ')}`;
  if (!coming?.left) return `${takes}${instead}.`;
  const room = diskBytes === undefined ? '' : `, of ${megabytes(diskBytes)} that this browser has left`;
  const time = downloadSeconds === undefined ? '' : `, about ${inWords(downloadSeconds)}`;
  return `${takes}${instead}. ${megabytes(coming.left)} are to be downloaded and kept${room}${time}.`;
}

const inWords = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;

/** Lists what is kept, each with a way to be rid of it. */
export async function showStored(): Promise<void> {
  const models = await listModels();
  const items = models.map(({ source, bytes, complete }) => {
    const item = element('li', '', `${source}, ${megabytes(bytes)}${complete ? '' : ', in part'} `);
    const button = element('button', '', `Delete ${source}`);
    button.addEventListener('click', () => {
      deleteModel(source).then(showStored, (error: Error) => say(error.message, { wrong: true }));
    });
    item.append(button);
    return item;
  });
  parts.stored.replaceChildren(...(items.length > 0 ? items : [element('li', '', 'None.')]));
}
