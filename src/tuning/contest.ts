/** A variant that takes part. */
export interface Candidate {
  readonly name: string;
  /** Winners of all cases of a contest have one order: what they make must have the same bits whichever of them runs. */
  readonly order: string;
}

/** A size at which candidates are timed, for example a number of rows. */
export interface Case {
  readonly id: string;
  /** How much it counts beside the others when one order is chosen for all. */
  readonly weight: number;
  /** Names of those that take part. */
  readonly names: readonly string[];
  /** The one used where nothing was measured; takes part. */
  readonly usual: string;
}

/** Something to choose variants for: one matmul or one attention in one phase. */
export interface Contest {
  /** For example `matmul few f16 4096x11008`. */
  readonly key: string;
  readonly candidates: readonly Candidate[];
  readonly cases: readonly Case[];
  /** Of the shaders and constants of all candidates; a choice made with others does not hold. */
  readonly fingerprint: string;
}

/** Winner of each case by the case's id. */
export type Winners = Readonly<Record<string, string>>;

/** Seconds by case and name; absent where a candidate was not timed. */
export type Times = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Seconds of a launch by name, one sample a round; candidates took turns, so a round's samples belong together. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** The lower quartile: company on a shared machine only ever adds time. */
export function typical(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 2];
}

/** A rival must beat the usual candidate in this share of the rounds. */
const SURE = 0.9;
/** In fewer rounds than this, luck would look like speed. */
const LEAST_ROUNDS = 5;

/**
 * What samples come to. A rival that was not faster round by round counts as being no faster than the usual one, so that
 * a disturbance which met the one and not the other decides nothing.
 */
export function settle(samples: Samples, usual: string): Record<string, number> {
  const own = samples[usual] as readonly number[] | undefined;
  return Object.fromEntries(
    Object.entries(samples).map(([name, rounds]) => {
      const seconds = typical(rounds);
      if (own === undefined || name === usual) return [name, seconds];
      const faster = rounds.filter((each, round) => each < own[round]).length;
      const sure = rounds.length >= LEAST_ROUNDS && faster >= SURE * rounds.length;
      return [name, sure ? seconds : Math.max(seconds, typical(own))];
    }),
  );
}

/**
 * A rival must be faster than the usual variant by this factor: less is within the noise of a busy machine, and a
 * choice that noise makes would differ from run to run.
 */
export const CLEAR_GAIN = 1.05;

/** What is used where nothing was measured. */
export function usualWinners({ cases }: Contest): Winners {
  return Object.fromEntries(cases.map(({ id, usual }) => [id, usual]));
}

/**
 * Chooses one order for all cases, by the weighted geometric mean of its best times, and of that order the fastest
 * candidate for each case. The usual order and candidates stay unless something is clearly faster.
 */
export function decide(contest: Contest, times: Times): Winners {
  const orderOf = new Map(contest.candidates.map(({ name, order }) => [name, order]));
  const usualOrder = orderOf.get(contest.cases[0].usual);
  /** The fastest of an order in a case; the usual one where it is not clearly beaten. */
  const best = ({ id, usual }: Case, order: string | undefined): { name: string; seconds: number } | undefined => {
    const timed = Object.entries(times[id] ?? {}).filter(([name]) => orderOf.get(name) === order);
    if (timed.length === 0) return undefined;
    const [name, seconds] = timed.reduce((a, b) => (b[1] < a[1] ? b : a));
    const own = timed.find((each) => each[0] === usual);
    return own !== undefined && own[1] < seconds * CLEAR_GAIN ? { name: usual, seconds: own[1] } : { name, seconds };
  };
  const standings = [...new Set(orderOf.values())].flatMap((order) => {
    const winners = contest.cases.map((each) => ({ each, won: best(each, order) }));
    if (winners.some(({ won }) => won === undefined)) return []; // it cannot do every case
    const weights = winners.reduce((sum, { each }) => sum + each.weight, 0);
    const cost = winners.reduce((sum, { each, won }) => sum + each.weight * Math.log(won!.seconds), 0) / weights;
    return [{ order, cost, winners: Object.fromEntries(winners.map(({ each, won }) => [each.id, won!.name])) }];
  });
  if (standings.length === 0) return usualWinners(contest);
  const first = standings.reduce((a, b) => (b.cost < a.cost ? b : a));
  const usual = standings.find(({ order }) => order === usualOrder);
  const clear = usual === undefined || usual.cost > first.cost + Math.log(CLEAR_GAIN);
  return (clear ? first : usual).winners;
}
