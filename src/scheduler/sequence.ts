/** What a request tells the scheduler beside its lengths. */
export interface SequenceOptions {
  /** Lower goes first; default 0. */
  readonly priority?: number;
  /**
   * Its next step can only be planned once its last token is known on the host, because a constraint or a guess ahead
   * depends on it. The others are planned while their last step still runs.
   */
  readonly hostStepped?: boolean;
  /** Names of the blocks that the prompt fills, equal where prompts are equal up to there; none: nothing is shared. */
  readonly blockNames?: readonly string[];
  /**
   * Its prompt was computed elsewhere, its first token with it: when it gets its blocks, keys and values of the prompt
   * are brought into them, and it decodes once `held` is taken off. Sent away later, it is computed here like others.
   */
  readonly transferred?: boolean;
  /** Tokens that were generated for it elsewhere: they are known, and are computed again as after it was sent away. */
  readonly resumed?: number;
}

/** Whose place in the order of service is known. */
export interface Placed {
  readonly priority: number;
  readonly arrival: number;
}

/** What the scheduler knows of a sequence: lengths and places, no token and no text. */
export class ScheduledSequence {
  /** Tokens, from the first on, whose keys and values are in the cache once all that was planned has run. */
  computed = 0;
  /** Tokens whose sampling has been planned. */
  generated = 0;
  /** Those of them that the host has got. */
  delivered = 0;
  /** Tokens guessed to follow the last one; set by the driver of a host-stepped sequence after each delivery. */
  drafts = 0;
  /** Prompt tokens found in the cache when it first ran. */
  cachedTokens = 0;
  /** Which block table and sampler state it uses; -1 while it waits. */
  slot = -1;
  /** Its cache blocks in order of position. */
  readonly blocks: number[] = [];
  /** The first of its blocks that are named and may be shared. */
  published = 0;
  /** Times it was given a slot. */
  admissions = 0;
  finished = false;
  /** It keeps its slot and blocks and gets no row: keys and values are on their way to it. */
  held = false;
  /** Place in the order of arrival, given by the scheduler. */
  arrival = 0;
  readonly priority: number;
  readonly hostStepped: boolean;
  readonly blockNames: readonly string[];
  readonly transferred: boolean;

  /**
   * @param promptLength tokens of the prompt, at least one
   * @param maxTokens most tokens to generate; 0 computes the prompt and samples nothing
   */
  constructor(
    readonly id: number,
    readonly promptLength: number,
    readonly maxTokens: number,
    { priority = 0, hostStepped = false, blockNames = [], transferred = false, resumed = 0 }: SequenceOptions = {},
  ) {
    this.priority = priority;
    this.hostStepped = hostStepped;
    this.blockNames = blockNames;
    this.transferred = transferred;
    this.generated = this.delivered = transferred ? 1 : resumed;
    this.held = transferred;
  }

  /** The same sequence in the same state, for books of another's. */
  copy(): ScheduledSequence {
    const { id, promptLength, maxTokens, priority, hostStepped, blockNames, transferred } = this;
    const copy = new ScheduledSequence(id, promptLength, maxTokens, { priority, hostStepped, blockNames, transferred });
    const { computed, generated, delivered, drafts, cachedTokens, slot, published, admissions, arrival } = this;
    Object.assign(copy, { computed, generated, delivered, drafts, cachedTokens, slot, published, admissions, arrival });
    copy.finished = this.finished;
    copy.held = this.held;
    copy.blocks.push(...this.blocks);
    return copy;
  }

  /** Prompt tokens still to be computed. */
  get promptLeft(): number {
    return Math.max(0, this.promptLength - this.computed);
  }

  /** Whether the host knows every token sampled so far. */
  get known(): boolean {
    return this.delivered === this.generated;
  }

  /** Blocks of its whole life. The last token is never fed back, so it needs no place. */
  get lifeTokens(): number {
    return this.promptLength + Math.max(0, this.maxTokens - 1);
  }
}

/** Order of service: by priority, then first come, first served. */
export function goesBefore(a: Placed, b: Placed): boolean {
  return a.priority < b.priority || (a.priority === b.priority && a.arrival < b.arrival);
}

/** Puts a sequence in its place of a list in order of service. */
export function insertInOrder(list: ScheduledSequence[], sequence: ScheduledSequence): void {
  let at = list.length;
  while (at > 0 && goesBefore(sequence, list[at - 1])) at--;
  list.splice(at, 0, sequence);
}

/** Takes a sequence out of a list. @returns whether it was there */
export function remove(list: ScheduledSequence[], sequence: ScheduledSequence): boolean {
  const at = list.indexOf(sequence);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
