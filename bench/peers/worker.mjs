import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** An engine in a child process; one request at a time. */
export class EngineProcess {
  #child;
  #name;

  /** @param {string} name of a file in `engines` @param {import('./engines/engine.js').EngineSettings} settings */
  constructor(name, settings) {
    this.#name = name;
    // The drivers and libraries write to standard output as they please; the report must stay readable.
    this.#child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), [name, JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** What the engine says it runs on, once it has loaded. */
  ready() {
    return this.#answer();
  }

  /** @returns {Promise<{ ids: number[], ttftMs: number, tpotMs: number | undefined }>} */
  measure(promptIds, tokens) {
    const answer = this.#answer();
    this.#child.send({ promptIds, tokens });
    return answer;
  }

  stop() {
    if (this.#child.connected) this.#child.disconnect();
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      const onMessage = ({ result, error }) => {
        done();
        if (error === undefined) resolve(result);
        else reject(new Error(`${this.#name}: ${error}`));
      };
      const onExit = (code, signal) => {
        done();
        reject(new Error(`${this.#name} ended with ${signal ?? `status ${code}`}`));
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
