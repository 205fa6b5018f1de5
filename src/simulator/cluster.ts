import { RidgepointError } from '../errors.js';
import type { Policy } from '../scheduler/policies/policy.js';
import type { Reallocation } from './reallocation.js';
import type { Routing } from './router.js';
import type { StepPrice } from './price/price.js';

export const ROLES = ['both', 'prefill', 'decode', 'mixed'] as const;
/**
 * What the machines of a pool do: whole requests, prompts up to the first token, or what follows it. Those of `mixed`
 * help out where one of the two has too much to do (Splitwise's third pool).
 */
export type Role = (typeof ROLES)[number];

/** Machines that are alike. */
export interface Pool {
  readonly name: string;
  readonly role: Role;
  readonly count: number;
  /** The price of a machine's steps: one value serves all machines of the pool. */
  readonly price: StepPrice;
  readonly policy: Policy;
  readonly decodeSloMs?: number;
  /** Blocks of the KV cache of a machine, and tokens of each. */
  readonly blocks: number;
  readonly blockTokens: number;
  /** Most sequences that hold memory at once on a machine. */
  readonly maxSequences: number;
  /** Most rows of a step, and of those most of prompts. */
  readonly stepTokens: number;
  readonly chunk?: number;
  /** Steps planned ahead; see `MachineOptions`. */
  readonly depth: number;
  /** Bytes a second a machine can send, and as many receive; needed where prompts and decoding are apart. */
  readonly linkBytesPerSecond?: number;
}

/** How keys and values come from a machine of role `prefill` to one of role `decode`. */
export interface Transfer {
  readonly bytesPerToken: number;
  /** Seconds added to each transfer. */
  readonly latency: number;
  /**
   * `after`: the whole, once the first token is there. `layerwise`: it begins when the first layer of the prompt's first
   * chunk is done, up to the share `overlap` of the bytes moves while the prompt is computed, and the end comes no
   * earlier than the prompt's.
   */
  readonly mode: 'after' | 'layerwise';
  readonly overlap: number;
  /** Layers of the model, for when the first of them is done. */
  readonly layers: number;
  /** Whether transfers share the links of their machines. */
  readonly shared: boolean;
  /** Where the first token counts: where it is made (default), or once the machine that decodes could send it. */
  readonly firstTokenAt?: FirstTokenAt;
}

export const FIRST_TOKEN_AT = ['prefill', 'decode'] as const;
export type FirstTokenAt = (typeof FIRST_TOKEN_AT)[number];

export interface Cluster {
  readonly pools: readonly Pool[];
  readonly transfer?: Transfer;
  readonly router: { readonly prefill: Routing; readonly decode: Routing };
  /** Machines for prompts and machines that decode change their phase as the load does. */
  readonly reallocation?: Reallocation;
}

/** @throws RidgepointError when a cluster lacks a part that every request needs */
export function checkCluster({ pools, transfer, reallocation }: Cluster): void {
  const has = (role: Role): boolean => pools.some((pool) => pool.role === role && pool.count > 0);
  if (reallocation !== undefined && !(has('prefill') && has('decode'))) {
    throw new RidgepointError(
      'usage',
      'reallocation moves machines between prompts and decoding; the cluster needs a pool of the role prefill and one of the role decode',
    );
  }
  if (!has('both') && !has('prefill')) {
    throw new RidgepointError('usage', 'no pool of the cluster takes prompts; give one the role both or prefill');
  }
  if (!has('prefill')) return;
  if (!has('decode')) {
    throw new RidgepointError(
      'usage',
      'the cluster has machines for prompts and none that decodes; add a pool of the role decode',
    );
  }
  if (transfer === undefined) {
    throw new RidgepointError(
      'usage',
      'prompts and decoding are on different machines; say by transfer how keys and values get from one to the other',
    );
  }
}
