import type { TaskLife, Task } from './task.js';

/** Most that one iteration of a machine takes. */
export interface BatchLimits {
  readonly maxBatch: number;
  /** Tokens of a batch, prompts whole; a batch of one task may have more. */
  readonly maxBatchTokens: number;
  /** Iterations a task is passed over before it comes first. */
  readonly maxPreemptions: number;
}

/** What a machine has to choose from. */
export interface Waiting {
  /** Tasks not in the batch, by how often they had been passed over when they came, then by arrival. */
  readonly pending: readonly Task[];
  readonly prompts: readonly Task[];
  /** Tasks that have been put out of a batch. */
  readonly blocked: readonly Task[];
  readonly batch: readonly Task[];
  /** Requests of the machine by arrival. */
  readonly lives: readonly TaskLife[];
  /** Whose turn it is of a request's tasks on this machine. */
  readonly turn: (life: TaskLife) => Task;
  /** Bytes that are free. */
  readonly free: number;
}

/**
 * The next batch of a machine, as splitwise-sim chooses it: tasks passed over too often, then prompts as they came, then
 * tasks that were put out, then those that run, then other requests by arrival. Each group ends where the batch is full
 * or memory is short; a task that is started has memory set aside, one that was put out has kept its own.
 */
export function selectBatch(
  { pending, prompts, blocked, batch, lives, turn, free }: Waiting,
  { maxBatch, maxBatchTokens, maxPreemptions }: BatchLimits,
): { readonly tasks: readonly Task[]; readonly tokens: number } {
  const tasks: Task[] = [];
  const taken = new Set<TaskLife>();
  let tokens = 0;
  let left = free;
  const full = (task: Task): boolean =>
    tasks.length === maxBatch || (tasks.length > 0 && tokens + task.batchTokens > maxBatchTokens);
  const take = (task: Task): void => {
    tasks.push(task);
    taken.add(task.life);
    tokens += task.batchTokens;
  };
  /** Takes a task that may need memory. @returns false when there is too little */
  const start = (task: Task): boolean => {
    if (task.state === 'waiting') {
      if (task.bytes > left) return false;
      left -= task.bytes;
    }
    take(task);
    return true;
  };
  for (const task of pending) {
    if (task.passedOver < maxPreemptions || full(task)) break;
    // Too little memory for this one does not keep the next from trying: the only group where that is so.
    if (!taken.has(task.life)) start(task);
  }
  for (const task of prompts) {
    if (full(task)) break;
    if (!taken.has(task.life) && !start(task)) break;
  }
  for (const group of [blocked, batch]) {
    for (const task of group) {
      if (full(task)) break;
      if (!taken.has(task.life)) take(task);
    }
  }
  for (const life of lives) {
    if (tasks.length === maxBatch) break;
    if (taken.has(life)) continue;
    const task = turn(life);
    if (full(task) || !start(task)) break;
  }
  return { tasks, tokens };
}
