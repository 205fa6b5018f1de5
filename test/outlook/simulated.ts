import type { Slo, Verdict } from '../../src/outlook/promises.js';
import { POLICIES, type PolicyName } from '../../src/scheduler/policies/index.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';
import { EventQueue, RANK } from '../../src/simulator/event-queue.js';
import { Machine } from '../../src/simulator/machine.js';
import type { StepPrice } from '../../src/simulator/price/price.js';
import type { SimulatedRequest } from '../../src/simulator/request.js';

/** Who lets requests in. Milliseconds. */
export interface Door {
  ask(sequence: ScheduledSequence, arrivedAt: number, now: number): Verdict;
  first(sequence: ScheduledSequence, at: number): void;
  drop(sequence: ScheduledSequence): void;
}

/** What became of a request; milliseconds. */
export interface Outcome {
  readonly request: SimulatedRequest;
  readonly sequence: ScheduledSequence;
  readonly tokens: number[];
  refused: Extract<Verdict, { kind: 'refuse' }> | undefined;
}

export interface SetUp {
  readonly policy?: PolicyName;
  readonly sequences?: number;
  readonly blocks?: number;
  readonly chunk?: number;
  readonly depth?: number;
  readonly price: StepPrice;
  readonly door?: (machine: Machine) => Door;
  /** Called as soon as so many seconds have passed. */
  readonly at?: { readonly seconds: number; readonly call: (machine: Machine, outcomes: readonly Outcome[]) => void };
}

/** Drives one machine of the simulator with requests that stand at a door first. */
export function drive(requests: readonly SimulatedRequest[], setUp: SetUp): Outcome[] {
  const { policy = 'chunked', sequences = 8, blocks = 4096, chunk = 256, depth = 2, price } = setUp;
  const events = new EventQueue();
  const byId = new Map<number, Outcome>();
  const limits = { sequences, blocks, blockTokens: 16, stepTokens: chunk + sequences, chunk };
  const now = (): number => 1000 * events.now;
  const machine: Machine = new Machine(events, {
    scheduler: new Scheduler(limits, { policy: POLICIES[policy], decodeSloMs: 20, cost: () => 10 }),
    ...{ price, depth, stretches: false },
    onTokens: (sequence, ends, from, to) => {
      const { tokens } = byId.get(sequence.id)!;
      if (tokens.length === 0) door?.first(sequence, now());
      for (let at = from; at < to; at++) tokens.push(1000 * ends[at]);
    },
    onDone: (sequence) => {
      door?.drop(sequence);
      machine.finish(sequence);
    },
  });
  const door = setUp.door?.(machine);
  const outcomes = requests.map((request): Outcome => {
    const { index, promptTokens, outputTokens } = request;
    return {
      request,
      sequence: new ScheduledSequence(index, promptTokens, outputTokens),
      tokens: [],
      refused: undefined,
    };
  });
  for (const outcome of outcomes) {
    const { request, sequence } = outcome;
    byId.set(sequence.id, outcome);
    const knock = (): void => {
      const verdict = door?.ask(sequence, 1000 * request.arrival, now()) ?? { kind: 'enter' };
      if (verdict.kind === 'enter') machine.add(sequence);
      else if (verdict.kind === 'refuse') outcome.refused = verdict;
      else events.at(events.now + verdict.ms / 1000, RANK.arrival, knock);
    };
    events.at(request.arrival, RANK.arrival, knock);
  }
  const { at } = setUp;
  if (at !== undefined) events.at(at.seconds, RANK.control, () => at.call(machine, outcomes));
  while (events.step());
  return outcomes;
}

export const ttftOf = ({ request, tokens }: Outcome): number => tokens[0] - 1000 * request.arrival;
export const gapOf = ({ tokens }: Outcome): number =>
  tokens.length > 1 ? (tokens.at(-1)! - tokens[0]) / (tokens.length - 1) : 0;

export const keeps = (outcome: Outcome, { ttftMs = Infinity, itlMs = Infinity }: Slo): boolean =>
  outcome.tokens.length > 0 && ttftOf(outcome) <= ttftMs && gapOf(outcome) <= itlMs;
