import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScheduledSequence, Scheduler, type SchedulerLimits, type StepPlan } from '../../src/engine/scheduler.js';

interface Request {
  readonly prompt: number;
  readonly maxTokens: number;
  /** Step before which it arrives. */
  readonly arrival: number;
  /** Step before which somebody aborts it. */
  readonly abort: number | undefined;
  /** Tokens after which it turns out to have ended, as by an end-of-sequence id. */
  readonly ends: number;
}

const limitsOf = fc.record({
  sequences: fc.integer({ min: 1, max: 4 }),
  blocks: fc.integer({ min: 1, max: 12 }),
  blockTokens: fc.integer({ min: 1, max: 5 }),
  stepTokens: fc.integer({ min: 1, max: 9 }),
});

const requestsOf = fc.array(
  fc.record({
    prompt: fc.integer({ min: 1, max: 25 }),
    maxTokens: fc.integer({ min: 1, max: 12 }),
    arrival: fc.integer({ min: 0, max: 60 }),
    abort: fc.option(fc.integer({ min: 0, max: 80 }), { nil: undefined, freq: 3 }),
    ends: fc.integer({ min: 1, max: 16 }),
  }),
  { maxLength: 12 },
);

/** Drives a scheduler as the step loop does, two steps deep, and checks every plan against what it may do. */
class Drive {
  readonly scheduler: Scheduler;
  readonly sequences = new Map<ScheduledSequence, Request>();
  readonly #covered = new Map<ScheduledSequence, number>();
  readonly #decoded = new Map<ScheduledSequence, number[]>();
  readonly #arrived: ScheduledSequence[] = [];
  readonly #started: ScheduledSequence[] = [];
  readonly #inFlight: ScheduledSequence[][] = [];
  readonly #delivered = new Map<ScheduledSequence, number>();

  constructor(
    private readonly limits: SchedulerLimits,
    private readonly requests: readonly Request[],
  ) {
    this.scheduler = new Scheduler(limits);
  }

  run(): void {
    const pending = this.requests
      .map((request, id) => ({ request, id }))
      .sort((a, b) => a.request.arrival - b.request.arrival);
    for (let step = 0; ; step++) {
      expect(step, 'the schedule ends').toBeLessThan(10_000);
      while (pending.length > 0 && pending[0].request.arrival <= step) this.#arrive(pending.shift()!);
      for (const [sequence, { abort }] of this.sequences) if (abort === step) this.scheduler.finish(sequence);
      const plan = this.#inFlight.length < 2 ? this.scheduler.next() : undefined;
      if (plan !== undefined) this.#submit(plan);
      else if (this.#inFlight.length > 0) this.#deliver(this.#inFlight.shift()!);
      else if (pending.length === 0) break;
    }
    this.#checkEnd();
  }

  #arrive({ request, id }: { request: Request; id: number }): void {
    const sequence = new ScheduledSequence(id, request.prompt, request.maxTokens);
    const { blocks, blockTokens } = this.limits;
    if (Math.ceil((request.prompt + request.maxTokens - 1) / blockTokens) > blocks) {
      expect(() => this.scheduler.add(sequence)).toThrow(RangeError);
      return;
    }
    this.scheduler.add(sequence);
    this.sequences.set(sequence, request);
    this.#arrived.push(sequence);
  }

  #submit({ decode, prefill }: StepPlan): void {
    expect(decode.length === 0 || prefill.length === 0, 'one phase a step').toBe(true);
    const members = [...decode, ...prefill.map((chunk) => chunk.sequence)];
    expect(members.length).toBeGreaterThan(0);
    expect(members.length).toBeLessThanOrEqual(this.limits.sequences);
    expect(new Set(members.map(({ slot }) => slot)).size, 'slots are unique').toBe(members.length);
    const held = [...this.sequences.keys()].flatMap((sequence) => sequence.blocks);
    expect(new Set(held).size, 'no block is shared').toBe(held.length);
    expect(held.length + this.scheduler.freeBlocks, 'no block is lost').toBe(this.limits.blocks);
    let tokens = 0;
    for (const { sequence, begin, end } of prefill) {
      if (begin === 0) this.#started.push(sequence);
      expect(begin, 'prompt tokens come in order, each once').toBe(this.#covered.get(sequence) ?? 0);
      expect(end).toBeGreaterThan(begin);
      expect(end).toBeLessThanOrEqual(sequence.promptLength);
      this.#covered.set(sequence, end);
      tokens += end - begin;
    }
    expect(tokens).toBeLessThanOrEqual(this.limits.stepTokens);
    for (const sequence of decode) {
      expect(this.#covered.get(sequence), 'the prompt comes before decoding').toBe(sequence.promptLength);
      const positions = this.#decoded.get(sequence) ?? [];
      expect(sequence.decodePosition).toBe(sequence.promptLength + positions.length);
      this.#decoded.set(sequence, [...positions, sequence.decodePosition]);
    }
    for (const sequence of members) {
      expect(sequence.finished).toBe(false);
      expect(sequence.slot).toBeGreaterThanOrEqual(0);
      expect(sequence.slot).toBeLessThan(this.limits.sequences);
      const last = Math.max(sequence.prefilled - 1, sequence.decodePosition);
      expect(Math.floor(last / this.limits.blockTokens)).toBeLessThan(sequence.blocks.length);
    }
    this.#inFlight.push([
      ...decode,
      ...prefill.filter((c) => c.end === c.sequence.promptLength).map((c) => c.sequence),
    ]);
  }

  #deliver(rows: readonly ScheduledSequence[]): void {
    for (const sequence of rows) {
      if (sequence.finished) continue;
      const count = (this.#delivered.get(sequence) ?? 0) + 1;
      this.#delivered.set(sequence, count);
      if (count === Math.min(sequence.maxTokens, this.sequences.get(sequence)!.ends)) this.scheduler.finish(sequence);
    }
  }

  #checkEnd(): void {
    expect(this.scheduler.waiting).toBe(0);
    expect(this.scheduler.running).toBe(0);
    expect(this.scheduler.freeBlocks).toBe(this.limits.blocks);
    const order = this.#started.map((sequence) => this.#arrived.indexOf(sequence));
    expect(order, 'first come, first served').toEqual([...order].sort((a, b) => a - b));
    for (const [sequence, { abort, ends }] of this.sequences) {
      expect(sequence.finished, 'every request ends').toBe(true);
      if (abort === undefined) expect(this.#delivered.get(sequence)).toBe(Math.min(sequence.maxTokens, ends));
    }
  }
}

describe('Scheduler', () => {
  it('ends every request and keeps its books on any schedule', () => {
    fc.assert(
      fc.property(limitsOf, requestsOf, (limits, requests) => {
        new Drive(limits, requests).run();
      }),
      { numRuns: 3000 },
    );
  });

  it('packs prompts into chunks, then decodes together', () => {
    const scheduler = new Scheduler({ sequences: 2, blocks: 10, blockTokens: 4, stepTokens: 4 });
    const [a, b] = [new ScheduledSequence(0, 6, 3), new ScheduledSequence(1, 3, 2)];
    scheduler.add(a);
    scheduler.add(b);
    expect(scheduler.next()).toEqual({ decode: [], prefill: [{ sequence: a, begin: 0, end: 4 }] });
    expect(scheduler.next()).toEqual({
      decode: [],
      prefill: [
        { sequence: a, begin: 4, end: 6 },
        { sequence: b, begin: 0, end: 2 },
      ],
    });
    expect(scheduler.next()).toEqual({ decode: [], prefill: [{ sequence: b, begin: 2, end: 3 }] });
    expect(scheduler.next()).toEqual({ decode: [a, b], prefill: [] });
    expect([a.decodePosition, b.decodePosition]).toEqual([6, 3]);
    expect(scheduler.next()).toEqual({ decode: [a], prefill: [] });
    expect(scheduler.next()).toBeUndefined();
    scheduler.finish(a);
    scheduler.finish(b);
    scheduler.finish(b);
    expect([scheduler.running, scheduler.freeBlocks]).toEqual([0, 10]);
  });

  it('counts no cache place for the last token, and refuses what can never run', () => {
    const scheduler = new Scheduler({ sequences: 1, blocks: 2, blockTokens: 4, stepTokens: 4 });
    expect(scheduler.blocksNeeded(new ScheduledSequence(0, 4, 5))).toBe(2);
    expect(() => scheduler.add(new ScheduledSequence(1, 4, 6))).toThrow(/sequence 1 needs 3 cache blocks of 2/);
    expect(scheduler.waiting).toBe(0);
  });

  it('lets nobody overtake a request that waits for blocks', () => {
    const scheduler = new Scheduler({ sequences: 3, blocks: 4, blockTokens: 1, stepTokens: 8 });
    const [first, big, small] = [3, 4, 1].map((prompt, id) => new ScheduledSequence(id, prompt, 1));
    for (const sequence of [first, big, small]) scheduler.add(sequence);
    expect(scheduler.next()?.prefill.map((chunk) => chunk.sequence)).toEqual([first]);
    expect(scheduler.next()).toBeUndefined();
    scheduler.finish(first);
    expect(scheduler.next()?.prefill.map((chunk) => chunk.sequence)).toEqual([big]);
    scheduler.finish(big);
    expect(scheduler.next()?.prefill.map((chunk) => chunk.sequence)).toEqual([small]);
  });
});
