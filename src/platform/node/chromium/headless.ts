import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { RidgepointError } from '../../../errors.js';
import { DevtoolsPipe } from './devtools-pipe.js';
import type { ChromiumProgram } from './packed.js';

/** Nothing of a user's own, nothing that asks the network, and WebGPU with the features that stable Chrome gives pages. */
const FLAGS = [
  ...['--headless', '--remote-debugging-pipe', '--no-first-run', '--no-default-browser-check', '--disable-quic'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio'],
  ...['--enable-unsafe-webgpu', '--disable-dawn-features=allow_unsafe_apis'],
];
/** Chrome's other driver on Linux makes none of a GPU without a display. */
const LINUX = ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'];
const SWIFTSHADER = ['--use-webgpu-adapter=swiftshader'];

/** Last words of standard error that a message may carry. */
const LAST_WORDS = 300;
/** How long a browser may take to close by itself, in milliseconds. */
const PATIENCE = 3000;

export interface HeadlessOptions {
  /** Whether pages get the software driver that browsers bring along, and not a GPU. */
  readonly software: boolean;
}

/** A browser without a window, with one page in it. */
export class HeadlessBrowser {
  readonly #child: ChildProcess;
  readonly #pipe: DevtoolsPipe;
  readonly #folder: string;
  readonly #gone: Promise<void>;
  #session = '';

  /** @throws RidgepointError where it does not start */
  static async open(program: ChromiumProgram, options: HeadlessOptions): Promise<HeadlessBrowser> {
    const browser = new HeadlessBrowser(program, options);
    try {
      await browser.#openPage();
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  private constructor({ path, env }: ChromiumProgram, { software }: HeadlessOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'ridgepoint-browser-'));
    const flags = [
      ...FLAGS,
      ...(software ? SWIFTSHADER : process.platform === 'linux' ? LINUX : []),
      // Chrome does not start as root with its sandbox; nothing but our own page is opened.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${this.#folder}`,
    ];
    this.#child = spawn(path, flags, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const [, , errors, out, incoming] = this.#child.stdio as unknown as [null, null, Readable, Writable, Readable];
    let said = '';
    errors.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-LAST_WORDS)));
    this.#pipe = new DevtoolsPipe(out, incoming);
    this.#gone = new Promise((done) => {
      const end = (why: string): void => {
        const line = said.trim().split('\n').at(-1) ?? '';
        const words = line === '' ? '' : ` (${line})`;
        this.#pipe.break(new RidgepointError('adapter', `${path}: ${why}${words}; try another browser`));
        done();
      };
      this.#child.once('error', ({ message }) => end(`does not start: ${message}`));
      this.#child.once('exit', (code, signal) => end(`ended, with ${signal ?? `code ${code}`}`));
    });
    this.#pipe.on('Inspector.targetCrashed', () =>
      this.#pipe.break(
        new RidgepointError('device', `${path}: its page crashed; use a smaller model, or fewer sequences`),
      ),
    );
  }

  async #openPage(): Promise<void> {
    const { targetId } = await this.#pipe.call<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const attach = { targetId, flatten: true };
    this.#session = (await this.#pipe.call<{ sessionId: string }>('Target.attachToTarget', attach)).sessionId;
    for (const domain of ['Page', 'Runtime', 'Inspector']) await this.#call(`${domain}.enable`);
  }

  /** Opens an address and waits for its document. @throws RidgepointError where it cannot be had */
  async goTo(url: string): Promise<void> {
    const loaded = new Promise<void>((done) => this.#pipe.on('Page.loadEventFired', () => done()));
    const { errorText } = await this.#call<{ errorText?: string }>('Page.navigate', { url });
    if (errorText !== undefined) throw new RidgepointError('internal', `the browser cannot open ${url}: ${errorText}`);
    await Promise.race([loaded, this.failure]);
  }

  /** Gives the page a function that sends a text here. */
  async receive(name: string, listener: (text: string) => void): Promise<void> {
    this.#pipe.on<{ name: string; payload: string }>('Runtime.bindingCalled', (event) => {
      if (event.name === name) listener(event.payload);
    });
    await this.#call('Runtime.addBinding', { name });
  }

  /** Runs an expression in the page. @throws RidgepointError with what it threw */
  async evaluate(expression: string): Promise<void> {
    const { exceptionDetails } = await this.#call<{ exceptionDetails?: { text: string } }>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined)
      throw new RidgepointError('internal', `the browser's page failed: ${exceptionDetails.text}`);
  }

  /** Rejects when the browser ends or its page crashes; never resolves. */
  get failure(): Promise<never> {
    return this.#pipe.failure;
  }

  /** Ends it, and leaves nothing of it on disk. */
  async close(): Promise<void> {
    void this.#pipe.call('Browser.close').catch(() => undefined);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    await this.#gone;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #call<T>(method: string, params: object = {}): Promise<T> {
    return this.#pipe.call(method, params, this.#session);
  }
}
