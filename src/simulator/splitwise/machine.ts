import { selectBatch, type BatchLimits } from './batch.js';
import type { EventHeap, HeapEvent } from './event-heap.js';
import type { SplitwisePrice } from './profile.js';
import type { TaskLife, Task } from './task.js';

export interface SplitwiseMachineOptions extends BatchLimits {
  readonly role: 'prompt' | 'token';
  readonly price: SplitwisePrice;
  /** Bytes of all its chips, and of those what the weights take. */
  readonly memoryBytes: number;
  readonly weightBytes: number;
  readonly onCompleted: (task: Task) => void;
  /** It has nothing left to do. */
  readonly onFree: (machine: SplitwiseMachine) => void;
}

/**
 * A machine as splitwise-sim has it: whole prompts before tokens, and iterations of tokens alone taken together until
 * one of them ends or something arrives that may join at the next boundary.
 */
export class SplitwiseMachine {
  readonly role: 'prompt' | 'token';
  /** Bytes in use, and those the scheduler has promised. */
  memory: number;
  promised: number;
  /** Prompt tokens, and one for each request that decodes, that the scheduler counts as waiting or running. */
  pendingTokens = 0;
  /** Whether it is lent out of its pool. */
  mixed = false;
  readonly counts = { busySeconds: 0, iterations: 0, putOut: 0 };

  readonly #pending: Task[] = [];
  readonly #prompts: Task[] = [];
  readonly #blocked: Task[] = [];
  readonly #batch: Task[] = [];
  #batchTokens = 0;
  #batchPrompts = 0;
  readonly #lives: TaskLife[] = [];
  readonly #turns = new Map<TaskLife, Task[]>();
  #iterationSeconds = 0;
  #iterations = 0;
  #end: HeapEvent | undefined;
  #pausing = false;
  #busySince = 0;
  readonly #events: EventHeap;
  readonly #options: SplitwiseMachineOptions;

  constructor(events: EventHeap, options: SplitwiseMachineOptions) {
    this.#events = events;
    this.#options = options;
    this.role = options.role;
    this.memory = options.weightBytes;
    this.promised = options.weightBytes;
  }

  get memoryBytes(): number {
    return this.#options.memoryBytes;
  }

  get price(): SplitwisePrice {
    return this.#options.price;
  }

  /** Requests that have a task here. */
  get requests(): number {
    return this.#lives.length;
  }

  /** Whether a task waits that is in no batch. */
  get waiting(): boolean {
    return this.#pending.length > 0;
  }

  /** Gives back what a request holds. */
  free(bytes: number): void {
    this.memory -= bytes;
    this.promised -= bytes;
  }

  /** A task is here and may begin. */
  arrive(task: Task): void {
    const { life } = task;
    task.machine = this;
    const turns = this.#turns.get(life);
    if (turns === undefined) {
      insertBy(this.#lives, life, ({ request }) => request.arrival);
      this.#turns.set(life, [task]);
    } else turns.push(task);
    this.#wait(task);
    if (task.kind === 'prompt') this.#prompts.push(task);

    if (this.#batch.length === 0) {
      if (this.memory + task.bytes <= this.memoryBytes) this.#start();
      return;
    }
    const { maxBatch, maxBatchTokens } = this.#options;
    const joins = this.#batch.length < maxBatch && this.#batchTokens + task.batchTokens <= maxBatchTokens;
    // A prompt may put tokens out of the batch: it has to fit beside the batch's prompts only.
    const rows = this.#batch.length - this.#batchPrompts;
    const pushes = task.kind === 'prompt' && rows > 0 && this.#batchTokens - rows + task.batchTokens <= maxBatchTokens;
    if (joins || pushes) this.#pause();
  }

  /** Keys and values have left, and memory is free. */
  onTransferred(): void {
    if (this.#pending.length === 0) return;
    if (this.#batch.length === 0) {
      if (this.memory + this.#pending[0].bytes <= this.memoryBytes) this.#start();
      return;
    }
    const { maxBatch, maxBatchTokens } = this.#options;
    if (this.#batch.length < maxBatch && this.#batchTokens < maxBatchTokens) this.#pause();
  }

  #start(): void {
    const { tasks, tokens } = selectBatch(
      {
        pending: this.#pending,
        prompts: this.#prompts,
        blocked: this.#blocked,
        batch: this.#batch,
        lives: this.#lives,
        turn: (life) => this.#turns.get(life)![0],
        free: this.memoryBytes - this.memory,
      },
      this.#options,
    );
    this.#batchTokens = tokens;
    this.#exchange(tasks);
    for (const life of this.#lives) {
      const task = this.#turns.get(life)![0];
      if (!task.inBatch) task.passedOver++;
    }
    if (this.#batch.length === 0) {
      if (this.#lives.length === 0) this.#options.onFree(this);
      return;
    }
    this.#run();
  }

  /** Puts out of the batch what is not among these tasks, and takes in what is new. */
  #exchange(tasks: readonly Task[]): void {
    const chosen = new Set(tasks);
    const out = this.#batch.filter((task) => !chosen.has(task));
    for (const task of out) {
      task.state = 'blocked';
      this.#leaveBatch(task);
      this.#wait(task);
      this.#blocked.push(task);
      this.counts.putOut++;
    }
    for (const task of tasks) {
      if (task.inBatch) continue;
      remove(this.#pending, task);
      if (task.state === 'blocked') remove(this.#blocked, task);
      if (task.kind === 'prompt') {
        remove(this.#prompts, task);
        this.#batchPrompts++;
      }
      this.#batch.push(task);
      task.inBatch = true;
      if (this.#batch.length === 1) this.#busySince = this.#events.now;
    }
  }

  /** Times the batch: one iteration with prompts, else as many as the shortest answer still has. */
  #run(): void {
    const { now } = this.#events;
    let [prompts, promptTokens] = [0, 0];
    let least = Infinity;
    for (const task of this.#batch) {
      if (task.kind === 'prompt') {
        prompts++;
        promptTokens += task.batchTokens;
      }
      least = Math.min(least, task.makes - task.generated);
      if (task.state === 'waiting') begin(task, this, now);
      task.state = 'running';
    }
    this.#iterationSeconds = this.price.batchSeconds(prompts, promptTokens, this.#batch.length - prompts);
    this.#iterations = prompts > 0 ? 1 : least;
    this.#end = this.#events.after(this.#iterationSeconds * this.#iterations, () => this.#complete());
  }

  /** Ends iterations of tokens at their next boundary. */
  #pause(): void {
    if (this.#pausing || this.#batchPrompts > 0) return;
    this.#pausing = true;
    const { now } = this.#events;
    const end = this.#end!;
    const elapsed = now - (end.time - this.#iterationSeconds * this.#iterations);
    this.#iterations = floorDivide(elapsed, this.#iterationSeconds) + 1;
    end.cancelled = true;
    const left = this.#iterationSeconds * this.#iterations - elapsed;
    // At a boundary there is nothing to wait for.
    if (left === 0) this.#complete();
    else this.#end = this.#events.after(left, () => this.#complete());
  }

  #complete(): void {
    this.counts.iterations += this.#iterations;
    for (const task of this.#batch) task.generated += this.#iterations;
    for (const task of this.#batch.filter(({ generated, makes }) => generated === makes)) {
      const { life } = task;
      this.#leaveBatch(task);
      const turns = this.#turns.get(life)!;
      turns.shift();
      if (turns.length === 0) {
        this.#turns.delete(life);
        remove(this.#lives, life);
      }
      this.#options.onCompleted(task);
    }
    this.#pausing = false;
    this.#start();
  }

  #leaveBatch(task: Task): void {
    remove(this.#batch, task);
    task.inBatch = false;
    if (task.kind === 'prompt') this.#batchPrompts--;
    if (this.#batch.length === 0) this.counts.busySeconds += this.#events.now - this.#busySince;
  }

  #wait(task: Task): void {
    insertBy(
      this.#pending,
      task,
      ({ passedOver }) => passedOver,
      ({ life }) => life.request.arrival,
    );
  }
}

/** A task begins: its machine sets memory aside for it. */
function begin(task: Task, machine: SplitwiseMachine, now: number): void {
  const { life } = task;
  machine.memory += task.bytes;
  life.bytes += task.bytes;
  if (task.kind === 'prompt') life.promptStart = now;
  else life.tokenStart = now;
}

/**
 * Puts a value behind those that are not greater, found by halving. Keys of what is there may have changed since, and
 * the list then is in no order: where halving ends is part of what has to agree.
 */
function insertBy<T>(values: T[], value: T, ...keys: readonly ((value: T) => number)[]): void {
  const less = (a: T, b: T): boolean => {
    for (const key of keys) if (key(a) !== key(b)) return key(a) < key(b);
    return false;
  };
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (less(value, values[middle])) high = middle;
    else low = middle + 1;
  }
  values.splice(low, 0, value);
}

function remove<T>(values: T[], value: T): void {
  values.splice(values.indexOf(value), 1);
}

/** The greatest whole number of `b` in `a`, rounded as Python's `//` of floats rounds. */
function floorDivide(a: number, b: number): number {
  let rest = a % b;
  if (rest < 0) rest += b;
  const quotient = (a - rest) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
