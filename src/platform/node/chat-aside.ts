import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AsideRenderer, ChatTemplate } from '../../engine/host.js';
import { RidgepointError } from '../../errors.js';
import type { ChatWishes } from '../../tokenizer/chat.js';
import { packageRoot } from './package-root.js';
import type { ChatAnswer } from './chat-worker.js';

/** Longest that a rendering may take, in milliseconds: many times what the most steps of a template take. */
const LONGEST_MS = 30_000;
/** Memory of a rendering, in MiB; more ends the thread and not the process. */
const MOST_MEMORY = 512;

interface Job {
  /** Messages and wishes, as JSON. */
  readonly chat: string;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/** The program, as built; undefined where there is only source. */
function program(): string | undefined {
  const path = join(packageRoot(), 'dist', 'src', 'platform', 'node', 'chat-worker.js');
  return existsSync(path) ? path : undefined;
}

/**
 * Renders chats in a thread of its own, one after the other: a template is a program that comes with a model and cannot
 * be left in the middle. One that takes too long or too much memory ends with its thread, and the next chat has another.
 *
 * @returns undefined where there is no program for the thread
 */
export function chatAside(template: ChatTemplate): AsideRenderer | undefined {
  const path = program();
  return path === undefined ? undefined : new ChatThread(path, template);
}

class ChatThread implements AsideRenderer {
  readonly #jobs: Job[] = [];
  #worker: Worker | undefined;
  #running: Job | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #path: string;
  readonly #template: ChatTemplate;

  constructor(path: string, template: ChatTemplate) {
    this.#path = path;
    this.#template = template;
  }

  render(messages: readonly object[], wishes: ChatWishes = {}, signal?: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const job: Job = { chat: JSON.stringify([messages, wishes]), resolve, reject };
      this.#jobs.push(job);
      // What nobody waits for any more would keep others waiting, and its text in memory.
      signal?.addEventListener('abort', () => this.#drop(job, signal.reason as Error), { once: true });
      this.#next();
    });
  }

  #drop(job: Job, reason: Error): void {
    const at = this.#jobs.indexOf(job);
    if (at < 0) return;
    this.#jobs.splice(at, 1);
    job.reject(reason);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    const ended = new RidgepointError('usage', 'the engine was disposed; load another');
    this.#settle((job) => job.reject(ended));
    for (const job of this.#jobs.splice(0)) job.reject(ended);
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const job = this.#jobs.shift();
    if (job === undefined) return;
    this.#running = job;
    const worker = (this.#worker ??= this.#start());
    worker.postMessage(job.chat);
    this.#timer = setTimeout(() => this.#lost(worker, `it takes more than ${LONGEST_MS / 1000} s`), LONGEST_MS);
    this.#timer.unref();
  }

  #start(): Worker {
    const worker = new Worker(this.#path, {
      workerData: this.#template,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY },
    });
    worker.on('message', (answer: ChatAnswer) => {
      if (worker !== this.#worker) return;
      this.#settle((job) => ('text' in answer ? job.resolve(answer.text) : job.reject(failure(answer))));
      this.#next();
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#lost(worker, isMemory ? `it takes more than ${MOST_MEMORY} MiB of memory` : error.message);
    });
    worker.on('exit', () => this.#lost(worker, 'its thread has ended'));
    // A server that has nothing else to do may end.
    worker.unref();
    return worker;
  }

  /** Gives up what runs, with its thread. */
  #lost(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    void worker.terminate();
    const message = `The model's chat template does not accept these messages: ${why}.`;
    this.#settle((job) => job.reject(new RidgepointError('prompt', message)));
    this.#next();
  }

  #settle(settle: (job: Job) => void): void {
    const job = this.#running;
    this.#running = undefined;
    clearTimeout(this.#timer);
    if (job !== undefined) settle(job);
  }
}

function failure({ code, message }: Exclude<ChatAnswer, { text: string }>): Error {
  return code === undefined ? new Error(message) : new RidgepointError(code, message);
}
