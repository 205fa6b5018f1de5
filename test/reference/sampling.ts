/** What sampling parameters do to logits, in float64 and by sorting: slow, and easy to believe. */
import { argmax, softmax } from './ops.js';

export interface Penalties {
  readonly promptIds?: readonly number[];
  readonly generatedIds?: readonly number[];
  /** 1 is off. */
  readonly repetition?: number;
  /** 0 is off. */
  readonly presence?: number;
  /** 0 is off. */
  readonly frequency?: number;
  readonly logitBias?: Readonly<Record<number, number>>;
}

/**
 * Logits [vocab] after the penalties, in this order: repetition as in transformers (every token seen, prompt included:
 * a positive logit is divided, a negative one multiplied), presence and frequency as in OpenAI's API and vLLM
 * (generated tokens only: `presence` once and `frequency` for each occurrence is subtracted), then the bias is added.
 */
export function applyPenalties(logits: Float64Array, penalties: Penalties): Float64Array {
  const { promptIds = [], generatedIds = [], repetition = 1, presence = 0, frequency = 0, logitBias = {} } = penalties;
  const out = logits.slice();
  for (const id of new Set([...promptIds, ...generatedIds])) {
    out[id] = out[id] > 0 ? out[id] / repetition : out[id] * repetition;
  }
  for (const id of new Set(generatedIds)) out[id] -= presence;
  for (const id of generatedIds) out[id] -= frequency;
  for (const [id, bias] of Object.entries(logitBias)) out[Number(id)] += bias;
  return out;
}

export interface Truncation {
  /** 1 when absent; 0 keeps only the best token. */
  readonly temperature?: number;
  /** 0 is off. */
  readonly topK?: number;
  /** 1 is off. */
  readonly topP?: number;
  /** 0 is off. */
  readonly minP?: number;
}

/**
 * Ids that may be sampled from logits [vocab], after temperature, then
 * top-k: the k best, and all that tie with the k-th;
 * top-p: of the rest renormalised, the smallest set of best tokens whose mass reaches p, and all that tie with its last;
 * min-p: of those, the ones at least `minP` times as probable as the best.
 * At temperature 0 only the best stays, the lowest id where several are equal.
 */
export function keptSet(logits: Float64Array, truncation: Truncation): Set<number> {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = truncation;
  if (temperature === 0) return new Set([argmax(logits)]);
  const scaled = logits.map((logit) => logit / temperature);
  let kept = [...scaled.keys()].filter((id) => scaled[id] > -Infinity).sort((a, b) => scaled[b] - scaled[a] || a - b);

  if (topK > 0 && topK < kept.length) {
    const last = scaled[kept[topK - 1]];
    kept = kept.filter((id) => scaled[id] >= last);
  }
  if (topP < 1) {
    const probabilities = softmax(Float64Array.from(kept, (id) => scaled[id]));
    let mass = 0;
    let count = 0;
    while (count < kept.length && (count === 0 || mass < topP)) mass += probabilities[count++];
    const last = scaled[kept[count - 1]];
    kept = kept.filter((id) => scaled[id] >= last);
  }
  if (minP > 0) {
    const best = scaled[kept[0]];
    kept = kept.filter((id) => Math.exp(scaled[id] - best) >= minP);
  }
  return new Set(kept);
}

/** The distribution sampled from: probabilities [vocab] after temperature over the kept ids, 0 for every other id. */
export function keptProbabilities(logits: Float64Array, truncation: Truncation): Float64Array {
  const kept = keptSet(logits, truncation);
  const temperature = truncation.temperature || 1;
  return softmax(logits.map((logit, id) => (kept.has(id) ? logit / temperature : -Infinity)));
}
