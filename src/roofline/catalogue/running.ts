import type { Hardware } from '../hardware.js';

type Running = Pick<Hardware, 'pricePerHour' | 'wattsServing'>;

/** The middle of what specialised providers ask. */
const rented = (value: number, range: string): Running => ({
  pricePerHour: {
    value,
    date: '2026-05',
    source: `mercatus-ai.com, cloud GPU pricing: ${range} on demand at specialised providers`,
  },
});

const profiled = (share: number, most: number): Running => ({
  wattsServing: {
    value: Math.round(share * most),
    date: '2023-11',
    source: `splitwise-sim’s profiles (MIT): on average ${share} of the ${most} W it may draw, Llama-2-70B and BLOOM-176B`,
  },
});

/**
 * What an hour costs and what a card draws while it serves, by hardware. Most rows have neither: there is no price at
 * hand, and the most they may draw is `tdpWatts`.
 */
export const RUNNING: Readonly<Record<string, Running | undefined>> = {
  'a100-80': { ...rented(1.3, '$1.10 to $1.50'), ...profiled(0.52, 400) },
  'h100-sxm': rented(3, '$2.50 to $3.50'),
  h200: rented(4, '$3.50 to $4.50'),
};
