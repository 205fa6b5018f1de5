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

/** What one provider asks. */
const listed = (value: number, date: string, source: string): Running => ({ pricePerHour: { value, date, source } });

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
  b200: listed(6.03, '2026-03', 'spheron.network, H200 against B200 and GB200: on demand'),
  l40s: listed(1.861, '2025-08', 'modal.com, what an L40S costs to run: AWS g6e in us-east-1, on demand'),
};
