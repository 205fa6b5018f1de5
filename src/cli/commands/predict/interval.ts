import type { Evidence, Interval } from '../../../roofline/hardware/uncertainty.js';
import { ms, toMs } from '../../terminal/format.js';

/** What a prediction rests on, in two words. */
export const EVIDENCE: Readonly<Record<Evidence, string>> = {
  measured: 'measurements',
  class: 'its class',
  none: 'no measurement',
};

/** `12.10 to 15.30`, without a unit. */
export const intervalText = (interval: Interval | undefined): string =>
  interval === undefined ? '-' : `${ms(interval.low)} to ${ms(interval.high)}`;

export const spanMs = (interval: Interval | undefined): (number | undefined)[] | null =>
  interval === undefined ? null : [toMs(interval.low), toMs(interval.high)];
