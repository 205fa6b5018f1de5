import type { NameListener } from './block-pool.js';
import type { Policy, PolicyOptions } from './policies/policy.js';

export interface SchedulerLimits {
  /** Most sequences that hold a slot. */
  readonly sequences: number;
  readonly blocks: number;
  readonly blockTokens: number;
  /** Most rows in one step. */
  readonly stepTokens: number;
  /** Most rows of generated tokens in one step; default `sequences`, and never fewer. */
  readonly decodeRows?: number;
  /** Most prompt tokens in one step; default `stepTokens`. */
  readonly chunk?: number;
}

export interface SchedulerOptions extends Partial<PolicyOptions> {
  /** Default `chunked`. */
  readonly policy?: Policy;
  /** Blocks that may be set aside for content from elsewhere; default half of all. */
  readonly reserve?: number;
  /** Told which blocks' contents can be found. */
  readonly names?: NameListener;
}

/** What has happened since the scheduler was made. */
export interface SchedulerCounts {
  preemptions: number;
  prefixQueriedTokens: number;
  prefixHitTokens: number;
}
