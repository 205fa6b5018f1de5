import type { Calibration } from '../roofline/hardware/calibration.js';
import { gpuName, keptCalibration } from './calibrations.js';
import { measureGpu } from './measure-gpu.js';
import type { PageModel } from './model.js';
import { listDevices, showGpu } from './my-gpu.js';
import { parts } from './page.js';

const say = (text: string): void => void (parts.gpuStatus.textContent = text);

/** The tab "My GPU": what is measured there, and where it is shown. */
export class GpuPanel {
  readonly #model: PageModel;
  #calibration: Calibration | undefined;
  #presets: Promise<Record<string, unknown>> | undefined;
  #measuring: AbortController | undefined;

  constructor(model: PageModel) {
    this.#model = model;
    parts.measure.addEventListener('click', () => void this.#measure(false));
    parts.measureAll.addEventListener('click', () => void this.#measure(true));
    parts.measureStop.addEventListener('click', () => this.#measuring?.abort(new Error('Stopped.')));
    parts.device.addEventListener('change', () => void this.#show());
    parts.gpuName.addEventListener('change', () => {
      if (this.#calibration !== undefined) gpuName(this.#calibration, parts.gpuName.value.trim());
    });
    // What is pressed before anybody listens would be lost.
    this.#update();
  }

  /** Shows what is known of this GPU. */
  async open(): Promise<void> {
    if (parts.device.options.length === 1) listDevices();
    const engine = await this.#model.present();
    this.#calibration ??= engine && keptCalibration(engine.info);
    await this.#show();
  }

  async #measure(kernels: boolean): Promise<void> {
    this.#measuring = new AbortController();
    this.#update();
    const skipped: string[] = [];
    const told = {
      progress: (what: string) => say(`Measuring ${what}`),
      skipped: (what: string) => void skipped.push(what),
    };
    try {
      this.#calibration = await measureGpu(kernels, told, this.#measuring.signal);
      say(['Measured.', ...skipped.map((what) => `Not measured: ${what}.`)].join(' '));
      await this.#show();
    } catch (error) {
      say((error as Error).message);
    } finally {
      this.#measuring = undefined;
      this.#update();
    }
  }

  #update(): void {
    const busy = this.#measuring !== undefined;
    parts.measure.disabled = busy;
    parts.measureAll.disabled = busy;
    parts.measureStop.disabled = !busy;
  }

  async #show(): Promise<void> {
    const calibration = this.#calibration;
    if (calibration === undefined) return;
    parts.gpuName.value = gpuName(calibration);
    this.#presets ??= fetch(new URL('models/presets.json', location.href)).then((response) => response.json());
    showGpu(calibration, await this.#model.present(), await this.#presets.catch(() => ({})));
  }
}
