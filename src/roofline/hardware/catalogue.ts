import { RidgepointError } from '../../errors.js';
import { ACCELERATORS } from './catalogue/accelerators.js';
import { AMD } from './catalogue/amd.js';
import { APPLE } from './catalogue/apple.js';
import { CONSUMER } from './catalogue/consumer.js';
import { DATACENTRE } from './catalogue/datacentre.js';
import { RUNNING } from './catalogue/running.js';
import { SPECIAL } from './catalogue/special.js';
import { SUPERCHIPS } from './catalogue/superchips.js';
import { WORKSTATION } from './catalogue/workstation.js';
import type { Hardware } from './hardware.js';

/** Every known piece of hardware, a row each with its source. */
export const CATALOGUE: readonly Hardware[] = [
  ...[...DATACENTRE, ...SUPERCHIPS, ...AMD, ...ACCELERATORS, ...WORKSTATION, ...CONSUMER, ...APPLE, ...SPECIAL].map(
    (each) => ({ ...each, ...RUNNING[each.id] }),
  ),
];

const ALIASES: Readonly<Record<string, string>> = {
  h100: 'h100-sxm',
  'h100-pcap': 'h100-capped',
  a100: 'a100-80',
};

/**
 * @param id as in the catalogue, in any case; `h100` and `a100` mean the larger part
 * @throws RidgepointError that names what there is
 */
export function hardwareById(id: string): Hardware {
  const wanted = id.trim().toLowerCase();
  const found = CATALOGUE.find((each) => each.id === (ALIASES[wanted] ?? wanted));
  if (found !== undefined) return found;
  const near = CATALOGUE.map((each) => each.id).filter((known) => wanted !== '' && known.includes(wanted));
  const choices = near.length > 0 ? near : CATALOGUE.map((each) => each.id);
  throw new RidgepointError('usage', `hardware ${JSON.stringify(id)} is not known; choose from ${choices.join(', ')}`);
}
