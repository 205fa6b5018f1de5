import { addressText, isAddress, type Address } from '../address.js';
import { isPool, type WorkerPool } from '../role-balance.js';
import { WORKER_ROLES, type WorkerRole } from '../worker-link.js';

/** What a worker tells of itself, every half second and when it changes. */
export interface Announcement {
  /** Its address as text, by which it is known. */
  readonly worker: string;
  /** Of its process; the later one is the greater. */
  readonly epoch: string;
  readonly address: Address;
  readonly role: WorkerRole;
  /** `draining`: it takes nothing new; `left`: it is ending. */
  readonly state: 'up' | 'draining' | 'left';
  /** What it does at present, where routers say what that is. */
  readonly pool?: WorkerPool;
  /** The number of its last message about blocks. */
  readonly blocks?: number;
}

/** What a worker is told to do: to finish what it has, take nothing new, and end; or to be of a pool. */
export interface Order {
  readonly worker: string;
  /** Of the process that is meant; any where absent. */
  readonly epoch?: string;
  readonly order: 'drain' | 'role';
  /** Of the order `role`. */
  readonly pool?: WorkerPool;
}

/** @returns undefined for what is no announcement */
export function announcementOf(value: unknown): Announcement | undefined {
  const said = Object(value) as Partial<Announcement>;
  const { worker, epoch, address, role, state } = said;
  const known =
    typeof worker === 'string' &&
    typeof epoch === 'string' &&
    isAddress(address) &&
    addressText(address) === worker &&
    WORKER_ROLES.some((each) => each === role) &&
    (said.pool === undefined || isPool(said.pool)) &&
    (state === 'up' || state === 'draining' || state === 'left');
  return known ? (said as Announcement) : undefined;
}

/** @returns undefined for what is no order, or one for another */
export function orderFor({ worker, epoch }: Pick<Announcement, 'worker' | 'epoch'>, value: unknown): Order | undefined {
  const order = Object(value) as Partial<Order>;
  const isOurs = order.worker === worker && (order.epoch === undefined || order.epoch === epoch);
  const isKnown = order.order === 'drain' || (order.order === 'role' && isPool(order.pool));
  return isOurs && isKnown ? (order as Order) : undefined;
}
