import { RidgepointError } from '../../errors.js';
import type { EmbedOptions } from '../api.js';
import { checkOption, found } from './check.js';
import { toggle, whole } from './kinds.js';

/** @param hidden numbers of a hidden state @throws RidgepointError naming the option that is out of range */
export function checkEmbedOptions({ pooling, normalize, dimensions, priority }: EmbedOptions, hidden: number): void {
  checkOption('pooling', pooling);
  checkOption('priority', priority);
  for (const [name, value, kind] of [
    ['normalize', normalize, toggle],
    ['dimensions', dimensions, whole(1, hidden)],
  ] as const) {
    if (value === undefined || kind.accepts(value)) continue;
    throw new RidgepointError('usage', `${name} must be ${kind.wanted}, found ${found(value)}`);
  }
}
