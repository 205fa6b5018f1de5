/** What a worker does at present of what it can. */
export type WorkerPool = 'prefill' | 'decode' | 'both';

export const isPool = (value: unknown): value is WorkerPool =>
  value === 'prefill' || value === 'decode' || value === 'both';

/** A worker as far as sharing out the phases goes. */
export interface PoolMember {
  readonly name: string;
  readonly pool: WorkerPool;
  /** Whether it may be moved. */
  readonly isFree: boolean;
  /** When it was moved last, in milliseconds of the clock that `now` is of. */
  readonly movedAt: number;
  /** Predicted milliseconds until it has computed the prompts it has, and until it has finished its answers. */
  readonly promptMs: number;
  readonly decodeMs: number;
}

export interface PoolMove {
  readonly name: string;
  readonly pool: WorkerPool;
}

/** A worker stays in a pool for so long, and after a move all stay for a while, in milliseconds. */
export const [DWELL_MS, SETTLE_MS] = [10_000, 3000] as const;
/** A queue that is shorter is not worth a move, in milliseconds. */
export const LEAST_MS = 500;
/** The longer of the two queues must come down to this share of itself. */
export const WORTH = 0.75;

/**
 * Says which worker should change its phase, one at a time: from the pool whose predicted queue is short to the one whose
 * is long, where the longer of the two becomes clearly shorter by it. Neither pool is left empty, so a worker that is
 * alone does both. Pure.
 *
 * @returns undefined where all is well as it is
 */
export function rebalance(members: readonly PoolMember[], now: number): PoolMove | undefined {
  const free = members.filter(({ isFree }) => isFree);
  if (free.length === 0) return undefined;
  if (members.length === 1) return free[0].pool === 'both' ? undefined : { name: free[0].name, pool: 'both' };
  const does = (pool: 'prefill' | 'decode', all = members): number =>
    all.filter((member) => member.pool === pool || (member.pool === 'both' && !member.isFree)).length;
  const newcomer = free.find(({ pool }) => pool === 'both');
  if (newcomer !== undefined) {
    const pool =
      does('decode') === 0 || (does('prefill') > 0 && does('decode') <= does('prefill')) ? 'decode' : 'prefill';
    return { name: newcomer.name, pool };
  }
  for (const pool of ['decode', 'prefill'] as const) {
    // Whoever did it has gone.
    if (does(pool) === 0) return { name: idlest(free).name, pool };
  }
  if (members.some(({ movedAt }) => now - movedAt < SETTLE_MS)) return undefined;
  const sum = (key: 'promptMs' | 'decodeMs'): number => members.reduce((total, member) => total + member[key], 0);
  const [prompts, answers] = [sum('promptMs'), sum('decodeMs')];
  const [ofPrompts, ofAnswers] = [does('prefill'), does('decode')];
  const longer = (prefill: number, decode: number): number => Math.max(prompts / prefill, answers / decode);
  const before = longer(ofPrompts, ofAnswers);
  if (before < LEAST_MS) return undefined;
  const toPrefill = prompts / ofPrompts > answers / ofAnswers;
  const [from, pool] = toPrefill ? (['decode', 'prefill'] as const) : (['prefill', 'decode'] as const);
  const givers = free.filter((member) => member.pool === from && now - member.movedAt >= DWELL_MS);
  if (givers.length === 0 || does(from) < 2) return undefined;
  const shift = toPrefill ? 1 : -1;
  if (longer(ofPrompts + shift, ofAnswers - shift) > WORTH * before) return undefined;
  return { name: idlest(givers).name, pool };
}

/** The one with the least to do. */
function idlest(members: readonly PoolMember[]): PoolMember {
  return members.reduce((least, member) =>
    member.promptMs + member.decodeMs < least.promptMs + least.decodeMs ? member : least,
  );
}
