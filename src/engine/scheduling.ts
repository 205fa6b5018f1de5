import type { Moment, ScheduleWatcher } from '../scheduler/moment.js';
import type { ScheduledSequence } from '../scheduler/sequence.js';
import type { GenerateOptions } from './api.js';

export type { Moment, ScheduleWatcher };

/** What an engine tells of its scheduling, for who looks ahead or back. */
export interface Scheduling {
  /** Where its scheduler stands. */
  moment(): Moment;
  /** Tells somebody of what happens from now on. @returns ends that */
  watch(watcher: ScheduleWatcher): () => void;
  /**
   * What the scheduler would know of a generation; nothing is queued.
   *
   * @throws RidgepointError as `generate`
   */
  outline(prompt: readonly number[], options: GenerateOptions): ScheduledSequence;
}

/** Several who are told of a schedule. */
export class Watchers implements Required<ScheduleWatcher> {
  readonly #all = new Set<ScheduleWatcher>();

  add(watcher: ScheduleWatcher): () => void {
    this.#all.add(watcher);
    return () => this.#all.delete(watcher);
  }

  added(...told: Parameters<Required<ScheduleWatcher>['added']>): void {
    for (const watcher of this.#all) watcher.added?.(...told);
  }

  step(...told: Parameters<Required<ScheduleWatcher>['step']>): void {
    for (const watcher of this.#all) watcher.step?.(...told);
  }

  ended(...told: Parameters<Required<ScheduleWatcher>['ended']>): void {
    for (const watcher of this.#all) watcher.ended?.(...told);
  }
}
