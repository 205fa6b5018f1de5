import type { BrowserModel, Engine, LoadProgress } from '../platform/browser/index.js';
import { deleteModel, Engine as Engines, listModels } from '../platform/browser/index.js';
import { element, megabytes, parts, say } from './page.js';

const STAGES: Record<LoadProgress['stage'], string> = {
  waiting: 'Waiting for',
  checking: 'Checking',
  download: 'Downloading',
  tuning: 'Measuring',
  weights: 'Loading',
  pipelines: 'Compiling',
};

/** The engine of the page: at most one, loaded when it is needed. */
export class PageModel {
  #engine: Promise<Engine> | undefined;
  #model: BrowserModel | undefined;

  /** Loads another model in place of the one that is there. */
  async choose(model: BrowserModel | undefined): Promise<void> {
    const before = this.#engine;
    this.#engine = undefined;
    this.#model = model;
    await before?.then((engine) => engine.dispose()).catch(() => undefined);
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

  async #load(): Promise<Engine> {
    parts.progress.hidden = false;
    try {
      const engine = await Engines.load({
        model: this.#model,
        dtype: parts.dtype.value as 'auto' | 'int8' | 'int4',
        workerUrl: new URL('ridgepoint-worker.js', location.href),
        modelsUrl: new URL('models/', location.href),
        onProgress: show,
      });
      const { model, dtype, adapter, weightBytes } = engine.info;
      say(`${model} in ${dtype}, ${megabytes(weightBytes)} of weights on ${adapter}.`);
      parts.promptLabel.textContent = engine.hasChatTemplate ? 'Say something' : 'Begin a text, which it goes on with';
      return engine;
    } catch (error) {
      say((error as Error).message, { wrong: true });
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
