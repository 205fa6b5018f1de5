import type { MachineCounts } from './machine.js';
import type { ReallocationReport } from './reallocation.js';
import type { RequestTrace } from './request.js';

/** What a simulation comes to. */
export interface Simulation {
  /** In order of arrival. */
  readonly traces: readonly RequestTrace[];
  /** Seconds until the last request had ended. */
  readonly duration: number;
  readonly machines: readonly MachineReport[];
  readonly transfers: { readonly count: number; readonly bytes: number; readonly busySeconds: number };
  readonly interrupted: boolean;
  /** Where machines may change their phase. */
  readonly reallocation?: ReallocationReport;
  /** Where they were kept. Times in seconds, machines by their place in `machines`. */
  readonly steps?: readonly SimulatedStep[];
  readonly flows?: readonly SimulatedFlow[];
}

/** A simulation that is taken in parts, so that others get a turn in between. */
export interface SimulationRun {
  /** Lets so many events happen. @returns whether there are more */
  advance(events: number): boolean;
  /** What it has come to so far; `interrupted` says whether that is not the end. */
  result(): Simulation;
  /** Seconds that the simulated clock shows. */
  readonly now: number;
}

export interface SimulatedStep {
  readonly machine: number;
  readonly begin: number;
  readonly end: number;
  readonly decodeRows: number;
  readonly promptTokens: number;
}

export interface SimulatedFlow {
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
  readonly bytes: number;
}

export interface MachineReport extends Readonly<MachineCounts> {
  readonly pool: string;
  readonly preemptions: number;
  /** Prompt tokens that were found in the prefix cache. */
  readonly prefixHitTokens: number;
  readonly freeBlocks: number;
  readonly blocks: number;
}
