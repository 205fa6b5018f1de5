import { BLOCK_TOKENS } from '../kernels/attention/shape.js';
import type { Address } from './address.js';

export const PLACEMENTS = ['cost', 'round-robin', 'least-loaded'] as const;
export type PlacementName = (typeof PLACEMENTS)[number];

/** What work takes a worker, in milliseconds. */
export interface WorkerSpeed {
  /** A token of a prompt, but for what it reads of those before it. */
  readonly promptToken: number;
  /** What it takes more for each token before it; nothing where that is not known. */
  readonly promptKey?: number;
  /** A step of one sequence that decodes. */
  readonly step: number;
}

/** Tokens of prompts, and keys of tokens before them that they read, all together. */
export interface PromptWork {
  readonly tokens: number;
  readonly keys: number;
}

/** The work of a prompt's tokens. @param from those that are there already */
export function promptWork(from: number, to: number): PromptWork {
  const tokens = Math.max(0, to - from);
  return { tokens, keys: (tokens * (from + to)) / 2 };
}

/** What it takes a worker, in milliseconds: more than in proportion to a prompt's length, as attention does. */
export function promptMs({ promptToken, promptKey = 0 }: WorkerSpeed, { tokens, keys }: PromptWork): number {
  return tokens * promptToken + keys * promptKey;
}

/** A worker as far as placing goes. */
export interface WorkerCandidate {
  readonly name: string;
  readonly address: Address;
  readonly prefills: boolean;
  readonly decodes: boolean;
  /** Choices that it has to answer or whose prompts it computes. */
  readonly requests: number;
  /** Of prompts that it has yet to compute. */
  readonly queued: PromptWork;
  readonly speed: WorkerSpeed | undefined;
  /** Prompt tokens that it is likely to have in its cache. */
  readonly hit: number;
  /** Bytes a millisecond at which keys and values come to it. */
  readonly rate: number | undefined;
}

export interface Placeable {
  readonly promptTokens: number;
  /** Bytes of keys and values of a token. */
  readonly tokenBytes: number;
  /** Tokens of a prompt that a step takes. */
  readonly chunk: number;
  /** Those that have lost it already. */
  readonly lostBy: readonly string[];
}

export interface Placement {
  readonly decode: WorkerCandidate;
  /** Undefined where whoever decodes computes the prompt. */
  readonly prefill: WorkerCandidate | undefined;
}

/** Taken to be so until it is known. */
export const UNKNOWN_SPEED: WorkerSpeed = { promptToken: 1, step: 10 };
const UNKNOWN_RATE = 1e6;
/** From being asked for a prompt to the first byte, in milliseconds. */
const ROUND_TRIP_MS = 1;
/** Chooses who answers a request and who computes its prompt. Pure but for whose turn it is. */
export class Placer {
  #turn = 0;
  readonly #kind: PlacementName;

  constructor(kind: PlacementName) {
    this.#kind = kind;
  }

  /** @returns undefined where nobody can answer it */
  place(request: Placeable, candidates: readonly WorkerCandidate[]): Placement | undefined {
    const able = candidates.filter(({ decodes }) => decodes);
    const others = able.filter(({ name }) => !request.lostBy.includes(name));
    const decoders = others.length > 0 ? others : able;
    if (decoders.length === 0) return undefined;
    const isLong = request.promptTokens > BLOCK_TOKENS;
    // One that does both is of no help to itself, and none to others while it answers.
    const helpers = isLong ? candidates.filter(({ prefills, decodes }) => prefills && !decodes) : [];
    switch (this.#kind) {
      case 'round-robin': {
        const turn = this.#turn++;
        return { decode: decoders[turn % decoders.length], prefill: helpers[turn % Math.max(1, helpers.length)] };
      }
      case 'least-loaded':
        return { decode: least(decoders, byRequests)!, prefill: least(helpers, byRequests) };
      case 'cost':
        return cheapest(request, decoders, candidates);
    }
  }
}

const byRequests = ({ requests }: WorkerCandidate): number => requests;

/** The first of the least. */
function least<T>(all: readonly T[], of: (one: T) => number): T | undefined {
  let best: T | undefined;
  for (const one of all) if (best === undefined || of(one) < of(best)) best = one;
  return best;
}

/** Compares what each way to answer costs, in milliseconds until the first token and of others' waiting. */
function cheapest(
  request: Placeable,
  decoders: readonly WorkerCandidate[],
  all: readonly WorkerCandidate[],
): Placement {
  const ways: { readonly way: Placement; readonly ms: number }[] = [];
  for (const decode of decoders) {
    ways.push({ way: { decode, prefill: undefined }, ms: alone(request, decode) });
    for (const prefill of all) {
      if (!prefill.prefills || prefill === decode) continue;
      ways.push({ way: { decode, prefill }, ms: pair(request, prefill, decode) });
    }
  }
  return least(ways, ({ ms }) => ms)!.way;
}

/** Milliseconds until a worker gets to a newcomer. */
export function queueMs({ queued, requests, speed = UNKNOWN_SPEED }: WorkerCandidate): number {
  return promptMs(speed, queued) + requests * speed.step;
}

/** Of a prompt that a worker computes and then answers. */
export function alone({ promptTokens }: Placeable, decode: WorkerCandidate): number {
  const { speed = UNKNOWN_SPEED, requests, hit } = decode;
  const prefill = promptMs(speed, promptWork(hit, promptTokens));
  // Those who decode there wait meanwhile, by turns with the prompt.
  return queueMs(decode) + prefill + (prefill * requests) / (requests + 1);
}

/** Of a prompt that one worker computes for another. */
export function pair(request: Placeable, prefill: WorkerCandidate, decode: WorkerCandidate): number {
  const { promptTokens, tokenBytes, chunk } = request;
  const speed = prefill.speed ?? UNKNOWN_SPEED;
  const computed = promptMs(speed, promptWork(prefill.hit, promptTokens));
  const first = promptMs(speed, promptWork(prefill.hit, prefill.hit + chunk));
  const sent = Math.max(0, promptTokens - decode.hit);
  const rate = decode.rate ?? UNKNOWN_RATE;
  const last = (Math.min(chunk, sent) * tokenBytes) / rate;
  const behind = (sent * tokenBytes) / rate - Math.max(0, computed - first);
  // Whoever decodes computes the last block in any case.
  const tail = promptMs(decode.speed ?? UNKNOWN_SPEED, promptWork(promptTokens - BLOCK_TOKENS, promptTokens));
  // It waits at both, one after the other, but for a step at whoever decodes.
  const queue = queueMs(prefill) + (decode.speed ?? UNKNOWN_SPEED).step * (decode.requests > 0 ? 1 : 0);
  return queue + computed + Math.max(last, behind) + ROUND_TRIP_MS + tail;
}
