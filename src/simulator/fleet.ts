import { RidgepointError } from '../errors.js';
import type { Cluster } from './cluster.js';
import { RANK, type EventQueue } from './event-queue.js';
import { placeHolds, type Place } from './place.js';
import { Reallocator, type Reallocation, type ReallocationReport } from './reallocation.js';
import type { SimulatedRequest } from './request.js';
import { Router } from './router.js';

/** Prompt tokens to compute, and tokens that wait for memory, above which machines of the role `mixed` help: Splitwise's. */
const [PROMPT_THRESHOLD, DECODE_THRESHOLD] = [8192, 2048];

/** Where a request goes first, and whether it decodes on another machine. */
export interface Entry {
  readonly place: Place;
  readonly apart: boolean;
}

/** The machines of a cluster by what they do at the moment, and which of them takes what. */
export class Fleet {
  readonly #cluster: Cluster;
  /** Those left out that are about to do something else. */
  #entries: readonly Place[] = [];
  #decoders: readonly Place[] = [];
  #mixed: readonly Place[] = [];
  readonly #routers: { readonly prefill: Router; readonly decode: Router };
  readonly #reallocator: Reallocator | undefined;
  readonly #timeline: ReallocationReport['timeline'][number][] = [];
  #moves = 0;

  constructor(
    readonly places: readonly Place[],
    cluster: Cluster,
    seed: number,
  ) {
    this.#cluster = cluster;
    const { router, reallocation } = cluster;
    this.#routers = { prefill: new Router(router.prefill, seed), decode: new Router(router.decode, seed + 1) };
    if (reallocation !== undefined) this.#reallocator = new Reallocator(reallocation);
    this.#sortOut();
  }

  /** What came of moving machines; undefined where they stay. */
  get reallocation(): ReallocationReport | undefined {
    const { errors } = this.#reallocator ?? {};
    if (errors === undefined) return undefined;
    return {
      moves: this.#moves,
      promptError: errors.prompts.mean,
      outputError: errors.outputs.mean,
      timeline: this.#timeline,
    };
  }

  /** @returns undefined where no machine can ever hold it */
  entryOf(request: SimulatedRequest): Entry | undefined {
    this.#reallocator?.arrived(request);
    const { promptTokens, outputTokens } = request;
    const needed = promptTokens + outputTokens - 1;
    const mixed = this.#mixed.filter(({ pool }) => placeHolds(pool, needed));
    const decodes = mixed.length > 0 || this.#decoders.some(({ pool }) => placeHolds(pool, needed));
    const fitting = this.#entries.filter(({ pool, role }) =>
      role === 'both' ? placeHolds(pool, needed) : decodes && placeHolds(pool, promptTokens),
    );
    if (fitting.length > 0) {
      const chosen = fitting[this.#routers.prefill.choose(fitting)];
      const helper = this.#helperOf(chosen, mixed, promptTokens);
      return { place: helper ?? chosen, apart: helper === undefined && chosen.role === 'prefill' };
    }
    // Where machines change their phase, nobody is refused because the large ones happen to do the other.
    const others = mixed.length > 0 || this.#reallocator === undefined ? mixed : this.#able(needed);
    if (others.length === 0) return undefined;
    return {
      place: others.reduce((best, each) => (each.promptTokens < best.promptTokens ? each : best)),
      apart: false,
    };
  }

  /** The machine that helps out with a prompt, where the one chosen has too many tokens to compute. */
  #helperOf({ promptTokens: pending }: Place, mixed: readonly Place[], promptTokens: number): Place | undefined {
    if (mixed.length === 0 || pending === 0 || pending + promptTokens <= PROMPT_THRESHOLD) return undefined;
    const helper = mixed.reduce((best, each) => (each.promptTokens < best.promptTokens ? each : best));
    return helper.promptTokens < pending ? helper : undefined;
  }

  /** Where a request decodes: on a machine that helps out, where those that decode have too many that wait for memory. */
  decoderOf(needed: number): Place {
    const holding = (places: readonly Place[]): Place[] => places.filter(({ pool }) => placeHolds(pool, needed));
    const [fitting, mixed] = [holding(this.#decoders), holding(this.#mixed)];
    // Where all that are large enough are about to change their phase, one of them takes it all the same.
    const all = fitting.length > 0 || mixed.length > 0 ? fitting : this.#able(needed);
    const chosen = all.length === 0 ? undefined : all[this.#routers.decode.choose(all)];
    if (mixed.length === 0) return chosen!;
    if (chosen !== undefined && chosen.pendingTokens + needed <= Math.max(DECODE_THRESHOLD, needed)) return chosen;
    const helper = mixed.reduce((best, each) => (each.cacheTokens < best.cacheTokens ? each : best));
    return chosen === undefined || helper.pendingTokens < chosen.pendingTokens ? helper : chosen;
  }

  /** A request has ended. */
  ended(request: SimulatedRequest): void {
    this.#reallocator?.ended(request);
  }

  /** A machine has one request less. */
  left(place: Place): void {
    if (place.next === undefined || place.requests > 0) return;
    place.role = place.next;
    place.next = undefined;
    this.#sortOut();
  }

  /** Looks now and then whether machines should change their phase. @param goesOn whether there is something to do */
  watch(events: EventQueue, goesOn: () => boolean): void {
    const { reallocation } = this.#cluster;
    if (reallocation === undefined) return;
    events.at(events.now + reallocation.every, RANK.control, () => {
      this.#look(events.now, reallocation);
      if (!goesOn()) return;
      // Only machines that have changed their phase with work in hand come to this; looking on would never end.
      if (events.isEmpty) throw standsStill(events.now);
      this.watch(events, goesOn);
    });
  }

  #look(now: number, { drain }: Reallocation): void {
    const reallocator = this.#reallocator!;
    const movable = this.places
      .filter(({ pool }) => pool.role === 'prefill' || pool.role === 'decode')
      .map((place) => ({ place, prefill: (place.next ?? place.role) === 'prefill' }));
    const wanted = reallocator.wanted(movable);
    const before = movable.filter(({ prefill }) => prefill).length;
    if (wanted !== undefined) {
      const to = wanted > before ? 'prefill' : 'decode';
      const sign = to === 'prefill' ? -1 : 1;
      movable
        .filter(({ prefill }) => prefill !== (to === 'prefill'))
        .sort((a, b) => sign * (reallocator.leaning(a.place) - reallocator.leaning(b.place)))
        .slice(0, Math.abs(wanted - before))
        .forEach(({ place }) => this.#reassign(place, to, drain));
    }
    const prefill = movable.filter(({ place }) => (place.next ?? place.role) === 'prefill').length;
    this.#timeline.push({ at: now, prefill, decode: movable.length - prefill });
  }

  #reassign(place: Place, to: 'prefill' | 'decode', drain: boolean): void {
    if (place.role === to) {
      // It was about to leave that phase and stays.
      place.next = undefined;
    } else {
      const left = (place.role === 'prefill' ? this.#entries : this.#decoders).filter((each) => each !== place);
      if (left.length === 0) return;
      if (drain && place.requests > 0) place.next = to;
      else place.role = to;
    }
    this.#moves++;
    this.#sortOut();
  }

  /** Whoever can hold a request, whatever it does at the moment. */
  #able(needed: number): Place[] {
    return this.places.filter(({ pool, role }) => role !== 'both' && placeHolds(pool, needed));
  }

  #sortOut(): void {
    const open = this.places.filter(({ next }) => next === undefined);
    this.#entries = open.filter(({ role }) => role === 'both' || role === 'prefill');
    this.#decoders = open.filter(({ role }) => role === 'decode');
    this.#mixed = open.filter(({ role }) => role === 'mixed');
  }
}

const standsStill = (now: number): RidgepointError =>
  new RidgepointError(
    'usage',
    `the simulation stands still at ${now.toFixed(3)} s: machines that changed their phase hold prompts that wait for each other's memory; let them "drain" first, or give them more blocks`,
  );
