import type { LoadDriver } from '../load/driver.js';
import type { StepLog } from '../step-log.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import type { Workload } from '../../../src/traffic/workload.js';

/** What an engine tells about its cache. */
export interface CacheStats {
  readonly kvBlocks: number;
  readonly kvBlocksFree: number;
  readonly preemptions: number;
  readonly prefixQueriedTokens: number;
  readonly prefixHitTokens: number;
}

/** Something load can be put on, opened. */
export interface OpenTarget {
  /** Longest prompt and answer together, where it is known. */
  readonly contextLength: number | undefined;
  /** What a reader of the result must know. */
  readonly note?: string;
  driver(workload: Pick<Workload, 'seed' | 'sharedPrefix'>): LoadDriver;
  /** Undefined for what does not tell. */
  stats(): CacheStats | undefined;
  /** The steps of an engine in this process, and most prompt tokens that one of them takes. */
  readonly steps?: StepLog;
  readonly prefillChunk?: number;
  close(): Promise<void>;
}

/** What is measured: opened anew for each run, so that none finds the caches of another. */
export interface Target {
  /** @param policy the engine's own when absent */
  open(policy?: PolicyName): Promise<OpenTarget>;
}
