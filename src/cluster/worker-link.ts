import type { EngineInfo, EngineStats } from '../engine/api.js';
import type { KvLayout, KvNumerics } from '../engine/kv-transfer.js';
import type { Address } from './address.js';
import type { WorkerSpeed } from './placement.js';
import type { WorkerPool } from './role-balance.js';
import type { RunFailure, RunKey, RunRequest, RunTokens } from './run-request.js';

/** What a worker can be asked for. */
export const WORKER_ROLES = ['prefill', 'decode', 'both', 'auto'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

/** What a worker says of itself first. */
export interface WorkerHello {
  readonly layout: KvLayout;
  readonly numerics: KvNumerics;
  readonly role: WorkerRole;
  /** Another one for each process. */
  readonly epoch: string;
  readonly info: EngineInfo;
}

/** What a worker tells of itself while it is asked. */
export interface WorkerReport {
  readonly stats: EngineStats;
  readonly speed?: WorkerSpeed;
  /** What routers say that it does, where it may do either phase. */
  readonly pool?: WorkerPool;
}

/** A router's way to a worker. It is made again whenever it was lost. */
export interface WorkerLink {
  /** Where it is, for logs. */
  readonly name: string;
  readonly address: Address;
  /** Undefined while there is no connection. */
  readonly worker: WorkerHello | undefined;
  readonly report: WorkerReport | undefined;
  /** Has a request run, or hears of one again. @param from ids of the answer that are there */
  run(request: RunRequest, from: number): void;
  /** Ends a run. @param isWhole its answer is all there */
  release(key: RunKey, isWhole: boolean): void;
  close(): void;
}

/** Who is told of what happens to workers and their runs. */
export interface WorkerListener {
  /** A worker has come that nothing runs at. @returns why it cannot be used */
  came(link: WorkerLink): string | undefined;
  /** The same process is there again soon after it was lost, and has what it ran. */
  cameBack(link: WorkerLink): void;
  /** It has gone, or nothing was heard of it for too long: what it ran is lost. */
  gone(link: WorkerLink): void;
  tokens(link: WorkerLink, key: RunKey, index: number, tokens: RunTokens): void;
  ended(link: WorkerLink, key: RunKey, count: number): void;
  failed(link: WorkerLink, key: RunKey, failure: RunFailure): void;
}
