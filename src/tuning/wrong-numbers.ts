import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import type { Gpu } from '../gpu/gpu.js';

/** The error for a driver on which no variant of a kernel computes what it should. */
export function wrongNumbers({ name, driver }: Gpu, kernel: string, what: string, reason: string): RidgepointError {
  return new RidgepointError(
    'device',
    words`kernel ${kernel} (${what}) computes wrong numbers on ${name} with driver ${driver}: ${reason}; no other variant is right, so install another version of the driver, or choose another adapter with ${option('adapter')}`,
  );
}
