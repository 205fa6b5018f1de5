import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MemorySample } from './stress.js';

let collect: (() => void) | undefined;

/** Collects garbage, so that what is left is held by somebody. */
function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

const PARTS = 16;

/** Samples this process's memory each time another sixteenth of the requests has ended. */
export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  #next = 0;
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
  }

  readonly at = (done: number): void => {
    if (done < this.#next) return;
    const next = Math.floor((PARTS * done) / this.#total) + 1;
    this.#next = Math.min(this.#total, Math.ceil((next * this.#total) / PARTS));
    if (done === this.samples.at(-1)?.done) return;
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    this.samples.push({ done, rss, heapUsed });
  };
}
