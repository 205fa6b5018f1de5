/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

/** How many tokens two greedy generations have in common before they part. */
export function agreement(a, b) {
  const parted = a.findIndex((id, i) => id !== b[i]);
  return parted === -1 ? a.length : parted;
}

/**
 * Milliseconds of each engine, and for each peer Ridgepoint's time as a part of the peer's, round by round: below 1
 * Ridgepoint is faster.
 *
 * @param {Record<string, import('./rounds.mjs').Measured>[]} rounds
 */
export function summarize(rounds) {
  const names = Object.keys(rounds[0]);
  const engines = {};
  for (const name of names) {
    engines[name] = {
      ttftMs: spread(rounds.map((round) => round[name].ttftMs)),
      tpotMs: spread(rounds.map((round) => round[name].tpotMs)),
    };
  }
  const ratios = {};
  for (const peer of names.filter((name) => name !== 'ridgepoint')) {
    const ratio = (metric) => rounds.map(({ ridgepoint, [peer]: other }) => ridgepoint[metric] / other[metric]);
    ratios[peer] = {
      ttft: { each: ratio('ttftMs'), ...spread(ratio('ttftMs')) },
      tpot: { each: ratio('tpotMs'), ...spread(ratio('tpotMs')) },
      sameTokens: Math.min(...rounds.map((round) => agreement(round.ridgepoint.ids, round[peer].ids))),
      ofTokens: rounds[0].ridgepoint.ids.length,
    };
  }
  return { engines, ratios };
}
