import type { TokenLogprob } from './api.js';

/**
 * Log-probabilities of one row of logits: of the token chosen, and of the `count` most likely ones, best first.
 *
 * @param logits [vocab] raw logits, before penalties, temperature and truncation
 */
export function logprobsOf(
  logits: Float32Array,
  chosen: number,
  count: number,
): { token: TokenLogprob; top: TokenLogprob[] } {
  let best = -Infinity;
  for (const logit of logits) if (logit > best) best = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - best);
  const logSum = Math.log(sum);

  // Kept sorted by insertion: `count` is small beside the vocabulary, and most tokens fail the first comparison.
  const top: number[] = [];
  if (count > 0) {
    for (let id = 0; id < logits.length; id++) {
      if (top.length === count && !(logits[id] > logits[top[count - 1]])) continue;
      let at = top.length;
      while (at > 0 && logits[id] > logits[top[at - 1]]) at--;
      top.splice(at, 0, id);
      if (top.length > count) top.pop();
    }
  }
  const logprob = (id: number): TokenLogprob => ({ id, logprob: logits[id] - best - logSum });
  return { token: logprob(chosen), top: top.map(logprob) };
}
