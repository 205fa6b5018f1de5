/** Milliseconds of computing, which nobody else's load adds to. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const KNOWN_MS = 20;
const NUMBERS = `[${'5,'.repeat(500_000)}5]`;

/**
 * How much slower this machine is just now than one on which two known loops take 20 ms each, one of arithmetic and one
 * of memory, as reading a large body is; at least 1.
 */
export function slowness(): number {
  const began = cpu();
  let sum = 0;
  for (let i = 0; i < 20_000_000; i++) sum = (Math.imul(sum, 31) + i) | 0;
  const between = cpu();
  if (sum === 1 || (JSON.parse(NUMBERS) as number[]).length === 0) return Infinity;
  return Math.max(1, (between - began) / KNOWN_MS, (cpu() - between) / KNOWN_MS);
}

/** The longest that the event loop did one thing while `run` went on, by the clock or by computing, whichever is less. */
export async function longestTurn(run: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let on = true;
  let [clock, computed] = [performance.now(), cpu()];
  const look = (): void => {
    const [now, done] = [performance.now(), cpu()];
    longest = Math.max(longest, Math.min(now - clock, done - computed));
    [clock, computed] = [now, done];
    if (on) setImmediate(look);
  };
  setImmediate(look);
  await run();
  on = false;
  return longest;
}

/**
 * Runs something until its longest turn is below a limit, which is scaled by a known loop of the same moment; what
 * else the machine does is no fault of ours, so it may be tried again.
 *
 * @returns the shortest of the longest turns and the limit, in milliseconds of a machine of full speed
 */
export async function bestTurn(limit: number, run: () => Promise<unknown>, tries = 8): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < tries && best >= limit; i++) {
    const before = slowness();
    const turn = await longestTurn(run);
    best = Math.min(best, turn / ((before + slowness()) / 2));
  }
  return best;
}
