/** A run of text that is evaluated in one forward pass: which tokens it sees, and from which on it judges them. */
export interface Window {
  readonly begin: number;
  readonly end: number;
  /** The first token whose probability counts; those before it are context only. */
  readonly from: number;
}

/**
 * Windows over a text longer than the context, each `stride` tokens after the one before: every token but the first
 * counts once, those behind the first window after at least `length - stride` tokens of context.
 *
 * @param tokens of the text
 * @param length of a window, in tokens
 * @param stride at most `length - 1`
 */
export function slidingWindows(tokens: number, length: number, stride: number): Window[] {
  const windows: Window[] = [];
  for (let begin = 0, judged = 1; judged < tokens; begin += stride) {
    const end = Math.min(tokens, begin + length);
    windows.push({ begin, end, from: judged });
    judged = end;
  }
  return windows;
}

/** Natural logarithms of the softmax of logits, and where the largest is. */
function logSoftmax(logits: Float32Array, into: Float64Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - logits[best]);
  const offset = logits[best] + Math.log(sum);
  for (let i = 0; i < logits.length; i++) into[i] = logits[i] - offset;
  return best;
}

/** What a model makes of a text. */
export interface Quality {
  /** Tokens that counted. */
  readonly tokens: number;
  /** exp of the mean negative log-probability of the tokens that came. */
  readonly perplexity: number;
}

/** How far a run is from a reference run over the same text. */
export interface Distance {
  /** Mean over positions of KL(reference || run) of what comes next, in nats. */
  readonly meanKl: number;
  /** Share of positions at which both find the same token likeliest. */
  readonly top1Agreement: number;
  /** Largest difference of any logit. */
  readonly largestLogitError: number;
}

/** Adds up what a model makes of a text, position by position, and how far it is from a reference. */
export class Evaluation {
  #tokens = 0;
  #loss = 0;
  #referenceLoss = 0;
  #kl = 0;
  #agreed = 0;
  #largest = 0;
  #own: Float64Array;
  #others: Float64Array;

  constructor(vocab: number) {
    this.#own = new Float64Array(vocab);
    this.#others = new Float64Array(vocab);
  }

  /**
   * @param logits of the position before `next`
   * @param next the token that came
   * @param reference the reference's logits there, if there is one
   */
  add(logits: Float32Array, next: number, reference?: Float32Array): void {
    const best = logSoftmax(logits, this.#own);
    this.#tokens++;
    this.#loss -= this.#own[next];
    if (reference === undefined) return;
    const bestThere = logSoftmax(reference, this.#others);
    this.#referenceLoss -= this.#others[next];
    if (best === bestThere) this.#agreed++;
    let kl = 0;
    for (let i = 0; i < reference.length; i++) {
      kl += Math.exp(this.#others[i]) * (this.#others[i] - this.#own[i]);
      this.#largest = Math.max(this.#largest, Math.abs(logits[i] - reference[i]));
    }
    this.#kl += kl;
  }

  get quality(): Quality {
    return { tokens: this.#tokens, perplexity: Math.exp(this.#loss / this.#tokens) };
  }

  /** The reference's own quality. */
  get reference(): Quality {
    return { tokens: this.#tokens, perplexity: Math.exp(this.#referenceLoss / this.#tokens) };
  }

  get distance(): Distance {
    return {
      meanKl: this.#kl / this.#tokens,
      top1Agreement: this.#agreed / this.#tokens,
      largestLogitError: this.#largest,
    };
  }
}
