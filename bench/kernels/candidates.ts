import type { PointCandidate, Maker } from './point.js';

export interface Making {
  /** Most that are made; all when absent. */
  readonly most?: number;
  /** No more are begun after this many milliseconds; the default is made in any case. */
  readonly withinMs?: number;
  /** How many are made at a time: compilers of drivers use several cores. */
  readonly atOnce: number;
  /** Called for a variant that does not compile. */
  readonly refused: (variant: string, reason: string) => void;
}

/**
 * Makers in an order of which every beginning is spread evenly over the list: the default first, then the others by
 * their bit-reversed places (van der Corput's sequence). A list has variants of one kind beside each other.
 */
export function spread<M extends Pick<Maker, 'isDefault'>>(makers: readonly M[]): M[] {
  const bits = Math.max(1, Math.ceil(Math.log2(makers.length)));
  const reversed = (place: number): number => {
    let result = 0;
    for (let bit = 0; bit < bits; bit++) result = 2 * result + ((place >> bit) & 1);
    return result;
  };
  return makers
    .map((maker, place) => ({ maker, rank: maker.isDefault ? -1 : reversed(place) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ maker }) => maker);
}

/**
 * Makes candidates; one that fails is said and left out.
 *
 * @returns those made, in the order of the list, and the names of those for which there was no time
 */
export async function candidates(
  makers: readonly Maker[],
  { most = Infinity, withinMs = Infinity, atOnce, refused }: Making,
): Promise<{ made: PointCandidate[]; leftOut: string[] }> {
  const began = performance.now();
  const waiting = spread(makers);
  const made = new Map<Maker, PointCandidate>();
  let begun = 0;
  while (waiting.length > 0 && begun < most) {
    if (begun > 0 && performance.now() - began >= withinMs) break;
    const batch = waiting.splice(0, Math.min(atOnce, most - begun));
    begun += batch.length;
    await Promise.all(
      batch.map(async (maker) => {
        const { make, ...rest } = maker;
        try {
          made.set(maker, { ...rest, timed: await make() });
        } catch (error) {
          refused(rest.variant, (error as Error).message);
        }
      }),
    );
  }
  return {
    made: makers.flatMap((maker) => made.get(maker) ?? []),
    leftOut: makers.filter((maker) => waiting.includes(maker)).map(({ variant }) => variant),
  };
}
