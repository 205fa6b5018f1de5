import type { Announcement } from './announcement.js';

/** One of whom nothing is heard for so long has gone, in milliseconds. */
export const GONE_MS = 2000;

interface Member {
  announcement: Announcement;
  heard: number;
}

/** Who is there, by what was announced. Pure: times are given, in milliseconds of any clock that goes on evenly. */
export class Membership {
  readonly #members = new Map<string, Member>();
  /** The latest process of each name, those that have gone included. */
  readonly #latest = new Map<string, string>();

  get(worker: string): Announcement | undefined {
    return this.#members.get(worker)?.announcement;
  }

  get all(): Announcement[] {
    return [...this.#members.values()].map(({ announcement }) => announcement);
  }

  /**
   * Takes note of what somebody says of itself.
   *
   * @returns what is new: a worker or another process of one, a change, that it leaves; `stale` where an earlier process
   *   of its name speaks
   */
  hear(announcement: Announcement, now: number): 'new' | 'changed' | 'same' | 'left' | 'stale' {
    const { worker, epoch, state, role, pool } = announcement;
    const latest = this.#latest.get(worker);
    if (latest !== undefined && epoch < latest) return 'stale';
    this.#latest.set(worker, epoch);
    const member = this.#members.get(worker);
    if (state === 'left') {
      this.#members.delete(worker);
      return member === undefined ? 'stale' : 'left';
    }
    if (member === undefined) {
      this.#members.set(worker, { announcement, heard: now });
      return 'new';
    }
    const before = member.announcement;
    member.announcement = announcement;
    member.heard = now;
    if (before.epoch !== epoch) return 'new';
    return before.state === state && before.role === role && before.pool === pool ? 'same' : 'changed';
  }

  /** Nobody could be heard until now: silence counts from here. */
  listenFrom(now: number): void {
    for (const member of this.#members.values()) member.heard = now;
  }

  /**
   * Forgets those that have been silent for too long.
   *
   * @param isThere whether somebody is known to be there by other means
   * @returns who has gone
   */
  takeSilent(now: number, isThere: (worker: string) => boolean = () => false): string[] {
    const gone: string[] = [];
    for (const [worker, member] of this.#members) {
      if (now - member.heard < GONE_MS) continue;
      if (isThere(worker)) continue;
      this.#members.delete(worker);
      gone.push(worker);
    }
    return gone;
  }
}
