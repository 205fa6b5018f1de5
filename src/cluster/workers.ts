import type { EngineInfo, EngineStats } from '../engine/api.js';
import type { KvLayout } from '../engine/kv-transfer.js';
import type { ExpectedLayout } from '../engine/text-layout.js';
import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import type { Announcement } from './control/announcement.js';
import { layoutDifference, modelDifference } from './layout.js';
import { NameSets } from './name-sets.js';
import { promptMs, UNKNOWN_SPEED, type PromptWork, type WorkerCandidate } from './placement.js';
import { ProgressWatch } from './progress.js';
import type { PoolMember, PoolMove, WorkerPool } from './role-balance.js';
import type { WorkerHello, WorkerLink, WorkerRole } from './worker-link.js';

/** How fast what was seen of a link before is forgotten. */
const SHARE = 0.2;

/** Requests of this router at a worker. */
interface Load {
  requests: number;
  queued: PromptWork;
  /** Bytes a millisecond at which keys and values came to it. */
  rate: number | undefined;
}

const NOTHING: PromptWork = { tokens: 0, keys: 0 };

const NO_STATS: EngineStats = {
  ...{ waiting: 0, running: 0, kvBlocks: 0, kvBlocksFree: 0, preemptions: 0, prefixQueriedTokens: 0 },
  ...{ prefixHitTokens: 0, speculatedTokens: 0, acceptedTokens: 0, steps: 0 },
};

/** The workers of a router: who is there, what fits, and who has how much to do. */
export class Workers {
  readonly names = new NameSets();
  readonly #links = new Map<string, WorkerLink>();
  readonly #loads = new Map<string, Load>();
  /** Those that take nothing new. */
  readonly #draining = new Set<string>();
  readonly progress = new ProgressWatch();
  /** What those do that may do either. */
  readonly #pools = new Map<string, { readonly pool: WorkerPool; readonly movedAt: number }>();
  readonly #expected: ExpectedLayout;
  /** What all must have in common; the first one says. */
  #layout: KvLayout | undefined;
  /** What those that answer must have room for, once it has been promised. */
  promised: Pick<EngineInfo, 'contextLength' | 'kvCacheTokens'> | undefined;

  /** @param expected of the model that requests are for */
  constructor(expected: ExpectedLayout) {
    this.#expected = expected;
  }

  /** Takes note of what a worker says of itself to all. */
  announced({ worker, state, pool }: Pick<Announcement, 'worker' | 'state' | 'pool'>): void {
    if (pool !== undefined) this.move({ name: worker, pool });
    if (state === 'up') this.#draining.delete(worker);
    else this.#draining.add(worker);
  }

  get(name: string): WorkerLink | undefined {
    return this.#links.get(name);
  }

  /** Those that are there. */
  get present(): { readonly link: WorkerLink; readonly worker: WorkerHello }[] {
    return [...this.#links.values()].flatMap((link) =>
      link.worker === undefined ? [] : [{ link, worker: link.worker }],
    );
  }

  get decoders(): WorkerHello[] {
    return this.present
      .filter(({ link, worker }) => worker.role !== 'prefill' && this.#isOpen(link.name))
      .map(({ worker }) => worker);
  }

  /** @returns why a worker cannot be used */
  admit(link: WorkerLink): string | undefined {
    const worker = link.worker!;
    const problem = this.#problemOf(worker);
    if (problem !== undefined) return problem;
    this.#layout ??= worker.layout;
    this.#links.set(link.name, link);
    // What the process before it had, this one has not.
    this.names.forget(link.name);
    this.progress.forget(link.name);
    this.#pools.delete(link.name);
    this.#loads.set(link.name, { requests: 0, queued: NOTHING, rate: undefined });
    return undefined;
  }

  /** Forgets a worker that is not looked for any more. */
  remove(name: string): void {
    this.#links.delete(name);
    this.#loads.delete(name);
    this.#draining.delete(name);
    this.names.forget(name);
    this.progress.forget(name);
    this.#pools.delete(name);
  }

  #problemOf({ layout, role, info }: WorkerHello): string | undefined {
    const difference =
      modelDifference(this.#expected, layout) ?? (this.#layout && layoutDifference(this.#layout, layout));
    if (difference !== undefined) return difference;
    if (role === 'prefill' || this.promised === undefined) return undefined;
    for (const key of ['contextLength', 'kvCacheTokens'] as const) {
      if (info[key] >= this.promised[key]) continue;
      const what = key === 'contextLength' ? 'a context' : 'a cache';
      return `${what} of ${info[key]} tokens, and ${this.promised[key]} are promised to clients`;
    }
    return undefined;
  }

  /** Has a worker do one phase or both from now on. */
  move({ name, pool }: PoolMove): void {
    if (this.#pools.get(name)?.pool !== pool) this.#pools.set(name, { pool, movedAt: performance.now() });
  }

  /** What a worker does that may do either phase, where that has been said. */
  poolOf(name: string): WorkerPool | undefined {
    return this.#pools.get(name)?.pool;
  }

  /** Who does which phase, and how much there is to do. @param answerTokens that an answer is likely to have */
  pools(answerTokens: number): PoolMember[] {
    return (
      this.present
        .filter(({ link }) => this.#isOpen(link.name))
        .map(({ link, worker: { role } }) => {
          const { name, report } = link;
          const { requests, queued } = this.#loads.get(name)!;
          const speed = report?.speed ?? UNKNOWN_SPEED;
          const { pool, movedAt } = this.#poolOf(name, role);
          const answers = pool === 'prefill' ? 0 : requests;
          const ms = { promptMs: promptMs(speed, queued), decodeMs: answers * answerTokens * speed.step };
          return { name, pool, movedAt, isFree: role === 'auto', ...ms };
        })
        // In one order everywhere, so that routers that know the same decide the same.
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    );
  }

  #poolOf(name: string, role: WorkerRole): { readonly pool: WorkerPool; readonly movedAt: number } {
    if (role !== 'auto') return { pool: role, movedAt: -Infinity };
    return this.#pools.get(name) ?? { pool: 'both', movedAt: -Infinity };
  }

  /** Whether it may be given something new. */
  #isOpen(name: string): boolean {
    return !this.#draining.has(name) && !this.progress.isStuck(name);
  }

  candidates(names: readonly string[]): WorkerCandidate[] {
    const found = this.present.map(({ link, worker }): WorkerCandidate => {
      const { requests, queued, rate } = this.#loads.get(link.name)!;
      const isOpen = this.#isOpen(link.name);
      const { pool } = this.#poolOf(link.name, worker.role);
      return {
        ...{ name: link.name, address: link.address, requests, queued, rate },
        prefills: isOpen && pool !== 'decode',
        decodes: isOpen && pool !== 'prefill',
        speed: link.report?.speed,
        hit: BLOCK_TOKENS * this.names.beginning(link.name, names),
      };
    });
    if (found.some(({ decodes }) => decodes)) return found;
    // Before anybody waits, those answer that could.
    return found.map((one) => ({
      ...one,
      decodes: this.#links.get(one.name)?.worker?.role === 'auto' && one.prefills,
    }));
  }

  /** Takes note of work that a worker got. @returns called when it is done, first for its prompt, then for all */
  begin(name: string, work: PromptWork): { readonly prompted: () => void; readonly over: () => void } {
    const load = this.#loads.get(name);
    if (load === undefined) return { prompted: () => undefined, over: () => undefined };
    load.requests++;
    const add = (sign: 1 | -1, { tokens, keys }: PromptWork): void => {
      load.queued = { tokens: load.queued.tokens + sign * tokens, keys: load.queued.keys + sign * keys };
    };
    add(1, work);
    let left = work;
    const prompted = (): void => {
      add(-1, left);
      left = NOTHING;
    };
    let isOver = false;
    const over = (): void => {
      prompted();
      if (!isOver) load.requests--;
      isOver = true;
    };
    return { prompted, over };
  }

  /** Takes note of how fast keys and values came to a worker. */
  came(name: string, bytes: number, ms: number): void {
    const load = this.#loads.get(name);
    if (load === undefined || bytes === 0 || ms <= 0) return;
    const rate = bytes / ms;
    load.rate = load.rate === undefined ? rate : load.rate + SHARE * (rate - load.rate);
  }

  /** What the workers say of themselves, together. */
  stats(): EngineStats {
    const sum: Record<string, number> = { ...NO_STATS };
    for (const { link } of this.present) {
      for (const [key, value] of Object.entries(link.report?.stats ?? {})) sum[key] += value as number;
    }
    return sum as unknown as EngineStats;
  }
}
