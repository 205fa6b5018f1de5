import type { TextKind } from '../../../engine/options/kinds.js';
import { MACHINES, type SpadMachineCounts } from '../../../roofline/predict/spad.js';

/** Machines of eight chips: `prefill=18,decode=7`. */
export const machineCounts: TextKind<SpadMachineCounts> = {
  wanted: `machines and counts, such as prefill=18,decode=7 (${MACHINES.join(', ')})`,
  read(given) {
    const counts: SpadMachineCounts = {};
    for (const part of given.split(',')) {
      const [name, count] = part.split('=').map((side) => side.trim());
      const machine = MACHINES.find((known) => known === name);
      if (machine === undefined || !/^\d+$/.test(count ?? '')) return undefined;
      counts[machine] = (counts[machine] ?? 0) + Number(count);
    }
    return counts;
  },
};
