import type { Announcement } from '../../../cluster/control/announcement.js';
import { BlockIndex } from '../../../cluster/control/block-index.js';
import type { ControlBus } from '../../../cluster/control/bus.js';
import { Discovery } from '../../../cluster/control/discovery.js';
import { GONE_MS } from '../../../cluster/control/membership.js';
import type { NameSets } from '../../../cluster/name-sets.js';
import type { WorkerLinks } from './worker-links.js';

export interface DiscoveredOptions {
  readonly bus: ControlBus;
  readonly links: WorkerLinks;
  /** What is known of workers' caches. */
  readonly names: NameSets;
  /** Those that are given by their addresses are looked for in any case. */
  readonly fixed: ReadonlySet<string>;
  /** Told of what a worker says of itself. */
  readonly onAnnounced: (announcement: Announcement) => void;
  /** Told that one is not looked for any more. */
  readonly onLost: (worker: string) => void;
  readonly tell?: (what: string) => void;
}

/** Connects to whoever announces itself, and lets go of who has gone. */
export function discover(options: DiscoveredOptions): Discovery {
  const { bus, links, names, fixed, onAnnounced, onLost, tell } = options;
  const index = new BlockIndex(bus, names);
  return new Discovery(bus, {
    found: (announcement) => {
      links.add(announcement.address);
      onAnnounced(announcement);
    },
    changed: (announcement) => {
      if (announcement.state === 'draining') tell?.(`${announcement.worker} takes nothing new`);
      onAnnounced(announcement);
    },
    lost: (worker) => {
      if (fixed.has(worker)) return;
      tell?.(`${worker} is not heard of any more`);
      links.drop(worker);
      onLost(worker);
    },
    heard: (announcement) => index.announced(announcement),
    isThere: (worker) => links.get(worker)?.isHeard(GONE_MS) === true,
  });
}
