import type { BatchSequence, BatchShape } from '../model/operations.js';
import type { StepDraft } from './policies/policy.js';
import type { ScheduledSequence } from './sequence.js';
import type { DecodeRows, PrefillChunk, StepPlan } from './step-plan.js';

/** How large a step may be. */
export interface DraftLimits {
  readonly blockTokens: number;
  /** Most rows in one step. */
  readonly stepTokens: number;
  /** Most rows of generated tokens. */
  readonly decodeRows: number;
  /** Most prompt tokens. */
  readonly chunk: number;
}

/** What a draft asks of the scheduler's books. */
export interface Books {
  admit(sequence: ScheduledSequence): boolean;
  grow(sequence: ScheduledSequence, tokens: number): boolean;
  preempt(sequence: ScheduledSequence): void;
  publish(sequence: ScheduledSequence): void;
}

/** Puts a step together as a policy asks for it. Keeps the rules that hold under every policy. */
export class Draft implements StepDraft {
  readonly #admitted: ScheduledSequence[] = [];
  readonly #decoded: DecodeRows[] = [];
  readonly #prefilled: PrefillChunk[] = [];
  /** Sequences in the step: their memory is spoken for. */
  readonly #planned = new Set<ScheduledSequence>();
  /** Rows in the step so far. */
  #rows = 0;
  /** Somebody has just been sent away; whoever came now would be next. */
  #short = false;
  readonly #limits: DraftLimits;
  readonly #list: readonly ScheduledSequence[];
  readonly #queue: readonly ScheduledSequence[];
  readonly #books: Books;

  constructor(
    limits: DraftLimits,
    list: readonly ScheduledSequence[],
    queue: readonly ScheduledSequence[],
    books: Books,
  ) {
    this.#limits = limits;
    this.#list = list;
    this.#queue = queue;
    this.#books = books;
  }

  /** The step, if anything is in it. */
  finished(): StepPlan | undefined {
    if (this.#planned.size === 0) return undefined;
    // Somebody may have been let in and sent away again.
    const admitted = this.#admitted.filter(({ slot }) => slot >= 0);
    return { admitted, decode: this.#decoded, prefill: this.#prefilled };
  }

  get chunk(): number {
    return this.#limits.chunk;
  }

  get running(): number {
    return this.#list.length;
  }

  get decoding(): number {
    return this.#list.filter((sequence) => sequence.promptLeft === 0).length;
  }

  admit(): void {
    while (this.#admitNext());
  }

  decode(): number {
    const before = this.#rows;
    const ready = this.#list.filter((sequence) => sequence.promptLeft === 0);
    ready.forEach((sequence, i) => {
      if (sequence.slot >= 0) this.#decode(sequence, ready.length - 1 - i);
    });
    return this.#rows - before;
  }

  prefill(tokens: number, { whole = false, admit = true } = {}): number {
    let added = 0;
    const left = (): number =>
      Math.min(Math.min(tokens, this.#limits.chunk) - added, this.#limits.stepTokens - this.#rows);
    const fits = ({ promptLeft }: ScheduledSequence): boolean =>
      left() > 0 && (!whole || promptLeft <= left() || added === 0);
    for (const sequence of this.#list) {
      if (sequence.promptLeft === 0 || this.#planned.has(sequence)) continue;
      if (!fits(sequence)) return added;
      added += this.#chunk(sequence, left());
      // What a chunk left of the budget, to end with a block, is too little for another prompt.
      if (sequence.promptLeft > 0) return added;
    }
    // With its prefix looked up, a prompt that is left for the next step may turn out to have been shorter.
    while (admit && this.#queue.length > 0 && fits(this.#queue[0])) {
      const sequence = this.#admitNext();
      if (sequence === undefined) break;
      // All of its prompt is in the cache: it was sent away before and goes on with what it had generated.
      if (sequence.promptLeft === 0) this.#decode(sequence, 0);
      else added += this.#chunk(sequence, left());
      if (sequence.promptLeft > 0) return added;
    }
    return added;
  }

  shapeWith(promptTokens: number): BatchShape {
    const decode = this.#decoded;
    const sequences: BatchSequence[] = decode.flatMap(({ begin, end }) =>
      Array.from({ length: end - begin }, (_, i) => ({ newTokens: 1, context: begin + i })),
    );
    for (const { begin, end } of this.#prefilled) {
      sequences.push({ newTokens: end - begin, context: begin, prefill: true });
    }
    let left = promptTokens;
    for (const { promptLeft, computed } of [...this.#list, ...this.#queue]) {
      const newTokens = Math.min(left, promptLeft);
      if (newTokens === 0) continue;
      sequences.push({ newTokens, context: computed, prefill: true });
      left -= newTokens;
    }
    return { sequences, logitRows: decode.reduce((sum, { samples }) => sum + samples, 0) };
  }

  #admitNext(): ScheduledSequence | undefined {
    const [sequence] = this.#queue;
    if (sequence === undefined || this.#short || !this.#books.admit(sequence)) return undefined;
    this.#admitted.push(sequence);
    return sequence;
  }

  /** @param others sequences that shall get a row each in this step too */
  #decode(sequence: ScheduledSequence, others: number): void {
    const { promptLength, maxTokens, computed: begin, generated, known, hostStepped } = sequence;
    if (sequence.held || generated >= maxTokens || (hostStepped && !known) || this.#planned.has(sequence)) return;
    const newest = promptLength + generated;
    const free = Math.min(this.#limits.decodeRows, this.#limits.stepTokens) - this.#rows;
    const room = Math.min(free, Math.max(1, free - others));
    const drafts = hostStepped ? Math.min(sequence.drafts, maxTokens - generated - 1) : 0;
    let end = Math.min(newest + drafts, begin + room);
    if (end <= begin) return;
    // A guess is not worth another sequence's place.
    if (!this.#books.grow(sequence, end) && end > newest) {
      end = Math.max(newest, sequence.blocks.length * this.#limits.blockTokens);
    }
    while (!this.#books.grow(sequence, end)) {
      // One whose keys and values are on their way keeps its blocks, which are being written to.
      const last = this.#list.findLast((other) => !this.#planned.has(other) && !other.held)!;
      this.#books.preempt(last);
      this.#short = true;
      if (last === sequence) return;
    }
    const samples = Math.max(0, end - newest + 1);
    this.#planned.add(sequence);
    this.#decoded.push({ sequence, begin, end, source: known ? 'host' : 'slot', samples, draw: generated });
    this.#rows += end - begin;
    sequence.computed = end;
    if (samples > 0) sequence.generated++;
  }

  #chunk(sequence: ScheduledSequence, most: number): number {
    const { promptLength, maxTokens, computed: begin, generated } = sequence;
    let end = Math.min(promptLength, begin + most);
    // Whole blocks where possible: they suit the tiles of attention.
    const border = end - (end % this.#limits.blockTokens);
    if (end < promptLength && border > begin) end = border;
    const samples = end === promptLength && generated === 0 && maxTokens > 0;
    this.#planned.add(sequence);
    this.#prefilled.push({ sequence, begin, end, samples });
    this.#rows += end - begin;
    sequence.computed = end;
    if (samples) sequence.generated = 1;
    this.#books.publish(sequence);
    return end - begin;
  }
}
