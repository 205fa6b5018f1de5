import { RidgepointError } from '../../errors.js';
import type { SplitwiseMachine } from './machine.js';
import type { TaskLife } from './task.js';

export const SPLITWISE_SCHEDULERS = [
  'mixed_pool',
  'kv_jsq',
  'kv_token_jsq',
  'kv_round_robin',
  'overlap_kv_jsq',
  'jsq',
  'token_jsq',
  'round_robin',
] as const;
export type SplitwiseSchedulerName = (typeof SPLITWISE_SCHEDULERS)[number];

/** Where a request goes; its keys and values move where the two differ. */
export interface Assignment {
  readonly prompt: SplitwiseMachine;
  readonly token: SplitwiseMachine;
}

export interface SplitwiseScheduler {
  /** Chooses machines for a request that has come, and counts it as theirs. */
  assign(life: TaskLife): Assignment;
  /** A machine has nothing left to do. */
  onFree(machine: SplitwiseMachine): void;
  /** How many times faster transfers are than the link, which stands for overlap with the prompt. */
  readonly speedup: number;
}

/** @param promptThreshold pending tokens above which a machine that has a queue is given no further prompt */
export function splitwiseScheduler(
  name: SplitwiseSchedulerName,
  machines: readonly SplitwiseMachine[],
  promptThreshold: number,
): SplitwiseScheduler {
  if (machines.length === 0) throw new RidgepointError('usage', 'a cluster needs at least one machine');
  const byRole = (role: 'prompt' | 'token'): SplitwiseMachine[] => machines.filter((machine) => machine.role === role);
  const [prompts, tokens] = [byRole('prompt'), byRole('token')];
  const apart = name === 'mixed_pool' || name.includes('kv_');
  if (apart && (prompts.length === 0 || tokens.length === 0)) {
    throw new RidgepointError('usage', `${name} needs machines of both roles, prompt and token`);
  }
  if (name === 'mixed_pool') return new MixedPool(prompts, tokens, promptThreshold);
  const pick = PICKS[name]();
  return {
    speedup: name === 'overlap_kv_jsq' ? 10 : 1,
    onFree: () => {},
    assign: ({ request }) => {
      if (apart) return { prompt: pick(prompts, 'prompt'), token: pick(tokens, 'token') };
      const machine = pick(machines, 'prompt');
      // The only one of these rules that counts what it gives, though all take off what is done.
      if (name === 'token_jsq') machine.pendingTokens += request.promptTokens + 1;
      return { prompt: machine, token: machine };
    },
  };
}

type Pick = (machines: readonly SplitwiseMachine[], of: 'prompt' | 'token') => SplitwiseMachine;

const byRequests = (): Pick => (machines) => leastBy(machines, ({ requests }) => requests);
const byTokens = (): Pick => (machines) => leastBy(machines, ({ pendingTokens }) => pendingTokens);
const inTurn = (): Pick => {
  const turns = { prompt: 0, token: 0 };
  return (machines, of) => machines[turns[of]++ % machines.length];
};

const PICKS: Readonly<Record<Exclude<SplitwiseSchedulerName, 'mixed_pool'>, () => Pick>> = {
  kv_jsq: byRequests,
  overlap_kv_jsq: byRequests,
  kv_token_jsq: byTokens,
  kv_round_robin: inTurn,
  jsq: byRequests,
  token_jsq: byTokens,
  round_robin: inTurn,
};

/**
 * Splitwise's own: a prompt goes where fewest tokens wait, the rest where least memory is promised; a pool that is full
 * borrows a machine of the other, which then does both until it has nothing left.
 */
class MixedPool implements SplitwiseScheduler {
  readonly speedup = 1;
  readonly #mixed: SplitwiseMachine[] = [];
  readonly #prompts: SplitwiseMachine[];
  readonly #tokens: SplitwiseMachine[];
  readonly #promptThreshold: number;

  constructor(prompts: SplitwiseMachine[], tokens: SplitwiseMachine[], promptThreshold: number) {
    this.#prompts = prompts;
    this.#tokens = tokens;
    this.#promptThreshold = promptThreshold;
  }

  assign(life: TaskLife): Assignment {
    const { prompt: promptTask, token: tokenTask } = life;
    let prompt = this.#forPrompt(this.#prompts, life) ?? this.#forPrompt(this.#mixed, life);
    let token = this.#forToken(this.#tokens, life) ?? this.#forToken(this.#mixed, life);
    if (prompt === undefined && this.#tokens.length > 0) {
      prompt = this.#borrow(this.#tokens, ({ pendingTokens }) => pendingTokens);
    }
    if (token === undefined && this.#prompts.length > 0) {
      token = this.#borrow(this.#prompts, ({ promised }) => promised);
    }
    if (prompt === undefined || token === undefined) {
      const all = [...this.#prompts, ...this.#mixed, ...this.#tokens];
      prompt = token = leastBy(all, ({ pendingTokens }) => pendingTokens);
    }
    prompt.promised += promptTask.bytes;
    token.promised += tokenTask.bytes + (prompt === token ? 0 : promptTask.bytes);
    prompt.pendingTokens += promptTask.batchTokens;
    token.pendingTokens += 1;
    return { prompt, token };
  }

  onFree(machine: SplitwiseMachine): void {
    if (!machine.mixed) return;
    machine.mixed = false;
    this.#mixed.splice(this.#mixed.indexOf(machine), 1);
    (machine.role === 'prompt' ? this.#prompts : this.#tokens).push(machine);
  }

  #forPrompt(machines: readonly SplitwiseMachine[], { prompt }: TaskLife): SplitwiseMachine | undefined {
    if (machines.length === 0) return undefined;
    const best = leastBy(machines, ({ pendingTokens }) => pendingTokens);
    return best.waiting && best.pendingTokens + prompt.batchTokens > this.#promptThreshold ? undefined : best;
  }

  #forToken(machines: readonly SplitwiseMachine[], { prompt, token }: TaskLife): SplitwiseMachine | undefined {
    if (machines.length === 0) return undefined;
    const best = leastBy(machines, ({ promised }) => promised);
    return best.promised + prompt.bytes + token.bytes >= best.memoryBytes ? undefined : best;
  }

  #borrow(pool: SplitwiseMachine[], by: (machine: SplitwiseMachine) => number): SplitwiseMachine {
    const machine = leastBy(pool, by);
    pool.splice(pool.indexOf(machine), 1);
    this.#mixed.push(machine);
    machine.mixed = true;
    return machine;
  }
}

/** The first of those with the least value. */
function leastBy(
  machines: readonly SplitwiseMachine[],
  value: (machine: SplitwiseMachine) => number,
): SplitwiseMachine {
  let best = machines[0];
  let least = value(best);
  for (const machine of machines) {
    const own = value(machine);
    if (own < least) [best, least] = [machine, own];
  }
  return best;
}
