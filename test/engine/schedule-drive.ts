import { expect } from 'vitest';
import { POLICIES } from '../../src/scheduler/policies/index.js';
import type { PolicyName } from '../../src/engine/api.js';
import { Scheduler, type SchedulerLimits } from '../../src/scheduler/scheduler.js';
import type { Reservation } from '../../src/scheduler/reservations.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import type { DecodeRows, PrefillChunk, StepPlan } from '../../src/scheduler/step-plan.js';

export interface DrivenRequest {
  /** Prompt tokens; requests with equal beginnings may share blocks. */
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly priority: number;
  /** Step before which it arrives. */
  readonly arrival: number;
  /** Step before which somebody aborts it. */
  readonly abort: number | undefined;
  /** Tokens after which it turns out to have ended, as by an end-of-sequence id. */
  readonly ends: number;
  /** Guesses after each token and how many of them are right, in turn; undefined: not host-stepped. */
  readonly guesses: readonly { readonly made: number; readonly right: number }[] | undefined;
  /** Tokens it had generated elsewhere; fewer than it will have. */
  readonly resumed?: number;
}

/** Content of a prompt's blocks that comes from elsewhere, a block a turn. */
export interface DrivenReservation {
  readonly prompt: readonly number[];
  readonly priority: number;
  /** Step before which it is made, and before which it ends. */
  readonly arrival: number;
  readonly ends: number;
}

export interface DriveOptions {
  readonly reservations?: readonly DrivenReservation[];
  readonly policy: PolicyName;
  readonly prefixCaching: boolean;
  /** Steps submitted before the oldest one is delivered. */
  readonly depth: number;
}

interface Driven {
  readonly sequence: ScheduledSequence;
  readonly request: DrivenRequest;
  /** What the cache holds for each token when the sequence runs alone. */
  readonly contents: readonly string[];
  turn: number;
}

interface Sampling {
  readonly driven: Driven;
  readonly tokens: number;
}

const SLO_MS = 20;

/** Like `expect(holds).toBe(true)`, but a hundred times cheaper, which matters millions of times. */
function check(holds: boolean, what: string): void {
  if (!holds) expect.fail(what);
}

/**
 * Drives a scheduler as the step loop does and plays the GPU: what every place of the cache holds is written down, and
 * each row is checked to find exactly the keys it would find if its sequence ran alone, made by the same kind of kernel.
 */
export class Drive {
  readonly scheduler: Scheduler;
  readonly driven: Driven[] = [];
  readonly #bySequence = new Map<ScheduledSequence, Driven>();
  readonly #cache: string[][];
  /** What the sampler left in each slot: a sequence and the index of its token. */
  readonly #slots: { sequence: ScheduledSequence; index: number }[] = [];
  readonly #inFlight: Sampling[][] = [];
  readonly #started: ScheduledSequence[] = [];
  readonly #reservations: { readonly made: Reservation; readonly driven: DrivenReservation }[] = [];
  steps = 0;
  /** Reservations that were taken back. */
  takenBack = 0;

  readonly #limits: Required<SchedulerLimits>;
  readonly #requests: readonly DrivenRequest[];
  readonly #options: DriveOptions;

  constructor(limits: Required<SchedulerLimits>, requests: readonly DrivenRequest[], options: DriveOptions) {
    this.#limits = limits;
    this.#requests = requests;
    this.#options = options;
    const policy = POLICIES[options.policy];
    // A millisecond a row, so that some mixed steps meet the objective and some do not.
    const cost = ({ sequences }: { sequences: readonly { newTokens: number }[] }): number =>
      sequences.reduce((sum, { newTokens }) => sum + newTokens, 0);
    this.scheduler = new Scheduler(limits, { policy, decodeSloMs: SLO_MS, cost });
    this.#cache = Array.from({ length: limits.blocks }, () => []);
  }

  run(): void {
    const pending = [...this.#requests].sort((a, b) => a.arrival - b.arrival);
    for (let turn = 0; ; turn++) {
      check(turn < 20_000, 'the schedule ends');
      while (pending.length > 0 && pending[0].arrival <= turn) this.#arrive(pending.shift()!);
      for (const each of this.#options.reservations ?? []) if (each.arrival === turn) this.#reserve(each);
      this.#fill(turn);
      for (const { sequence, request } of this.driven) if (request.abort === turn) this.scheduler.finish(sequence);
      const plan = this.#inFlight.length < this.#options.depth ? this.#next() : undefined;
      if (plan !== undefined) this.#submit(plan);
      else if (this.#inFlight.length > 0) for (const sampling of this.#inFlight.shift()!) this.#deliver(sampling);
      else if (pending.length === 0 && this.#reservations.length === 0) break;
      this.#checkBooks();
    }
    this.#checkEnd();
  }

  #names(prompt: readonly number[]): string[] {
    const { blockTokens } = this.#limits;
    return Array.from({ length: Math.floor(prompt.length / blockTokens) }, (_, i) =>
      prompt.slice(0, (i + 1) * blockTokens).join(),
    );
  }

  #reserve(driven: DrivenReservation): void {
    const onTakenBack = (): void => void this.takenBack++;
    const made = this.scheduler.reserve(this.#names(driven.prompt), { priority: driven.priority, onTakenBack });
    if (made !== undefined) this.#reservations.push({ made, driven });
  }

  /** Brings each open reservation the next block of its content. */
  #fill(turn: number): void {
    for (const { made, driven } of this.#reservations.splice(0)) {
      if (!made.open) continue;
      if (driven.ends <= turn) {
        made.end();
        continue;
      }
      this.#reservations.push({ made, driven });
      const index = made.beginning;
      if (index === made.blocks.length) continue;
      const users = this.driven.filter(({ sequence }) => sequence.blocks.includes(made.blocks[index]));
      check(users.length === 0, 'nobody uses a block before it is filled');
      for (let at = 0; at < this.#limits.blockTokens; at++) {
        const end = index * this.#limits.blockTokens + at + 1;
        this.#cache[made.blocks[index]][at] = `prompt ${driven.prompt.slice(0, end).join()}`;
      }
      made.publish(index);
    }
  }

  #arrive(request: DrivenRequest): void {
    const { blocks, blockTokens } = this.#limits;
    const { prompt, maxTokens, priority, guesses } = request;
    const blockNames = this.#names(prompt);
    const sequence = new ScheduledSequence(this.driven.length, prompt.length, maxTokens, {
      priority,
      hostStepped: guesses !== undefined,
      resumed: Math.min(request.resumed ?? 0, maxTokens - 1, request.ends - 1),
      blockNames: this.#options.prefixCaching ? blockNames : [],
    });
    if (Math.ceil((prompt.length + maxTokens - 1) / blockTokens) > blocks) {
      expect(() => this.scheduler.add(sequence)).toThrow(RangeError);
      return;
    }
    this.scheduler.add(sequence);
    const contents = Array.from({ length: prompt.length + maxTokens }, (_, position) =>
      position < prompt.length
        ? `prompt ${prompt.slice(0, position + 1).join()}`
        : `sequence ${sequence.id} ${position - prompt.length}`,
    );
    const driven = { sequence, request, contents, turn: 0 };
    this.driven.push(driven);
    this.#bySequence.set(sequence, driven);
  }

  /** Plans a step and checks that no sequence that could decode was passed over. */
  #next(): StepPlan | undefined {
    const ready = this.driven
      .map(({ sequence }) => sequence)
      .filter((sequence) => sequence.slot >= 0 && sequence.promptLeft === 0)
      .filter(({ generated, maxTokens, hostStepped, known }) => generated < maxTokens && (!hostStepped || known));
    const plan = this.scheduler.next();
    const { policy } = this.#options;
    if (policy === 'chunked' || policy === 'decode-priority') {
      for (const sequence of ready) {
        const there = plan?.decode.some((rows) => rows.sequence === sequence) ?? false;
        check(there || sequence.slot === -1, 'everybody decodes who can');
      }
    }
    if (policy === 'prefill-first' || policy === 'static') {
      const goesOn = (sequence: ScheduledSequence): boolean =>
        sequence.admissions > 1 || (this.#bySequence.get(sequence)!.request.resumed ?? 0) > 0;
      const replayed = plan?.decode.every(({ sequence }) => goesOn(sequence)) ?? true;
      check((plan?.prefill.length ?? 0) === 0 || replayed, 'prompts are not mixed with decoding');
    }
    return plan;
  }

  #submit({ admitted, decode, prefill }: StepPlan): void {
    this.steps++;
    const members = [...decode, ...prefill].map(({ sequence }) => sequence);
    check(members.length > 0, 'a step has rows');
    check(new Set(members).size === members.length, 'a sequence is in one part of a step');
    check(new Set(members.map(({ slot }) => slot)).size === members.length, 'slots are unique');
    this.#checkBudget(decode, prefill);
    for (const sequence of admitted) if (sequence.admissions === 1) this.#started.push(sequence);
    for (const sequence of members) {
      check(!sequence.finished, 'only who has not ended runs');
      check(sequence.slot >= 0 && sequence.slot < this.#limits.sequences, 'whoever runs has a slot');
    }
    const writers = new Map<number, ScheduledSequence>();
    const samplings: Sampling[] = [];
    // All keys of a layer are written before any is read.
    for (const part of decode) this.#writeDecode(part, writers);
    for (const part of prefill) this.#writePrefill(part, writers);
    for (const part of decode) this.#readDecode(part, samplings);
    for (const part of prefill) this.#readPrefill(part, samplings);
    this.#inFlight.push(samplings);
  }

  #checkBudget(decode: readonly DecodeRows[], prefill: readonly PrefillChunk[]): void {
    const rowsOf = (parts: readonly { begin: number; end: number }[]): number =>
      parts.reduce((sum, { begin, end }) => sum + end - begin, 0);
    const { stepTokens, decodeRows, chunk, sequences } = this.#limits;
    check(
      [...decode, ...prefill].every(({ begin, end }) => end > begin),
      'parts have rows',
    );
    check(rowsOf(decode) <= decodeRows, 'few enough rows decode');
    check(rowsOf(prefill) <= chunk, 'prompts stay within a chunk');
    check(rowsOf(decode) + rowsOf(prefill) <= stepTokens, 'a step stays within its budget');
    check(decode.length + prefill.length <= sequences, 'few enough sequences run');
  }

  #write(driven: Driven, position: number, content: string, writers: Map<number, ScheduledSequence>): void {
    const { sequence } = driven;
    const block = sequence.blocks[Math.floor(position / this.#limits.blockTokens)];
    check(block !== undefined, 'there is a block for each row');
    const writer = writers.get(block) ?? sequence;
    check(writer === sequence, 'one sequence writes to a block');
    writers.set(block, sequence);
    const at = position % this.#limits.blockTokens;
    for (const other of this.driven) {
      if (other === driven || !other.sequence.blocks.includes(block)) continue;
      // Whoever shares a block may see it written only with what is its own content too.
      check(other.contents[position] === content, 'nobody else is disturbed');
    }
    this.#cache[block][at] = content;
  }

  #writeDecode(
    { sequence, begin, end, source, samples, draw }: DecodeRows,
    writers: Map<number, ScheduledSequence>,
  ): void {
    const driven = this.#bySequence.get(sequence)!;
    const { promptLength } = sequence;
    check(begin >= promptLength, 'prompt tokens are no decode rows');
    check(samples === 0 || draw === end - samples - promptLength + 1, 'draws count on');
    if (source === 'slot') {
      check(end - begin === 1 && samples === 1, 'a slot holds one token');
      const left = this.#slots[sequence.slot];
      check(left.sequence === sequence && left.index === begin - promptLength, 'its own token is in its slot');
    }
    const right = this.#right(driven);
    const newest = promptLength + sequence.delivered - 1;
    for (let position = begin; position < end; position++) {
      const guess = source === 'host' ? position - newest : 0;
      check(guess <= Math.max(0, samples - 1), 'only guesses are not known');
      this.#write(driven, position, guess <= right ? driven.contents[position] : 'a wrong guess', writers);
    }
  }

  #writePrefill({ sequence, begin, end }: PrefillChunk, writers: Map<number, ScheduledSequence>): void {
    const driven = this.#bySequence.get(sequence)!;
    check(end <= sequence.promptLength, 'only prompt tokens are prefilled');
    for (let position = begin; position < end; position++) {
      this.#write(driven, position, driven.contents[position], writers);
    }
  }

  #readContext(driven: Driven, position: number): void {
    const { blockTokens } = this.#limits;
    for (let before = 0; before <= position; before++) {
      const found = this.#cache[driven.sequence.blocks[Math.floor(before / blockTokens)]]?.[before % blockTokens];
      const expected = driven.contents[before];
      check(found === expected, `row ${position} finds "${found}" where "${expected}" should be`);
    }
  }

  #readDecode({ sequence, begin, end, samples }: DecodeRows, samplings: Sampling[]): void {
    const driven = this.#bySequence.get(sequence)!;
    const taken = Math.min(samples, 1 + this.#right(driven));
    const valid = samples === 0 ? end : end - samples + taken;
    for (let position = begin; position < valid; position++) this.#readContext(driven, position);
    if (samples === 0) return;
    samplings.push({ driven, tokens: taken });
    this.#slots[sequence.slot] = { sequence, index: valid - sequence.promptLength };
  }

  #readPrefill({ sequence, begin, end, samples }: PrefillChunk, samplings: Sampling[]): void {
    const driven = this.#bySequence.get(sequence)!;
    for (let position = begin; position < end; position++) this.#readContext(driven, position);
    check(samples === (end === sequence.promptLength && sequence.delivered === 0), 'the first token comes once');
    if (!samples) return;
    samplings.push({ driven, tokens: 1 });
    this.#slots[sequence.slot] = { sequence, index: 0 };
  }

  #right({ request, turn }: Driven): number {
    return request.guesses === undefined || turn === 0 ? 0 : request.guesses[turn % request.guesses.length].right;
  }

  #deliver({ driven, tokens }: Sampling): void {
    const { sequence, request } = driven;
    if (sequence.finished) return;
    const ends = Math.min(sequence.maxTokens, request.ends);
    if (sequence.delivered + tokens >= ends) {
      sequence.delivered = ends;
      this.scheduler.finish(sequence);
      return;
    }
    this.scheduler.deliver(sequence, tokens);
    if (request.guesses === undefined) return;
    driven.turn++;
    sequence.drafts = request.guesses[driven.turn % request.guesses.length].made;
  }

  #checkBooks(): void {
    const held = this.driven.flatMap(({ sequence }) => sequence.blocks);
    const reserved = this.#reservations.flatMap(({ made }) => (made.open ? made.blocks : []));
    check(new Set(held).size === held.length || this.#options.prefixCaching, 'no block is shared');
    const different = new Set([...held, ...reserved]).size;
    check(different + this.scheduler.freeBlocks === this.#limits.blocks, 'no block is lost');
    for (const { sequence } of this.driven) {
      check(new Set(sequence.blocks).size === sequence.blocks.length, 'no block twice');
      check(sequence.slot >= 0 || sequence.blocks.length === 0, 'whoever waits holds nothing');
    }
  }

  #checkEnd(): void {
    expect([this.scheduler.waiting, this.scheduler.running]).toEqual([0, 0]);
    expect(this.scheduler.freeBlocks).toBe(this.#limits.blocks);
    for (const { sequence, request } of this.driven) {
      expect(sequence.finished, 'every request ends').toBe(true);
      if (request.abort !== undefined) continue;
      expect(sequence.delivered).toBe(Math.min(sequence.maxTokens, request.ends));
    }
    if (this.#requests.some(({ priority }) => priority !== 0)) return;
    const order = this.#started.map(({ arrival }) => arrival);
    expect(order, 'first come, first served').toEqual([...order].sort((a, b) => a - b));
  }
}
