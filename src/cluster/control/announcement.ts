import { addressText, isAddress, type Address } from '../address.js';
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
  /** The number of its last message about blocks. */
  readonly blocks?: number;
}

/** What a worker is told to do: to finish what it has, take nothing new, and end. */
export interface Order {
  readonly worker: string;
  /** Of the process that is meant; any where absent. */
  readonly epoch?: string;
  readonly order: 'drain';
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
    (state === 'up' || state === 'draining' || state === 'left');
  return known ? (said as Announcement) : undefined;
}

/** @returns undefined for what is no order, or one for another */
export function orderFor({ worker, epoch }: Pick<Announcement, 'worker' | 'epoch'>, value: unknown): Order | undefined {
  const order = Object(value) as Partial<Order>;
  const isOurs = order.worker === worker && (order.epoch === undefined || order.epoch === epoch);
  return isOurs && order.order === 'drain' ? (order as Order) : undefined;
}
