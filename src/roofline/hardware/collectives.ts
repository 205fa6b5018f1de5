import type { Link } from './hardware.js';

/** What an all-reduce among so many chips of one machine was measured to take. */
export interface MeasuredAllReduce {
  /** Seconds of the smallest messages. */
  readonly latencySeconds: number;
  /** Larger messages, by rising size: bytes that each chip holds, and seconds. */
  readonly points: readonly (readonly [bytes: number, seconds: number])[];
}

/** By number of chips, rising. */
export type MeasuredAllReduces = readonly (readonly [chips: number, measured: MeasuredAllReduce])[];

/**
 * Seconds of an all-reduce, straight between what was measured and on along the last two points beyond it. A number of
 * chips that was not measured takes the next larger one that was; above the largest, the bytes that each chip sends grow
 * as 2 (n - 1) / n and the latency with the logarithm, as in a tree.
 *
 * @param bytes that each chip holds
 */
export function measuredAllReduceSeconds(bytes: number, chips: number, measured: MeasuredAllReduces): number {
  const found = measured.find(([known]) => known >= chips);
  const [known, { latencySeconds, points }] = found ?? measured[measured.length - 1];
  const all = [[0, latencySeconds], ...points] as const;
  const above = all.findIndex(([size]) => size >= bytes);
  const upper = above < 0 ? all.length - 1 : Math.max(1, above);
  const [[x0, y0], [x1, y1]] = [all[upper - 1], all[upper]];
  const seconds = y0 + ((bytes - x0) * (y1 - y0)) / (x1 - x0);
  if (chips <= known) return seconds;
  const sent = (n: number): number => (n - 1) / n;
  const moving = ((seconds - latencySeconds) * sent(chips)) / sent(known);
  return moving + (latencySeconds * Math.log2(chips)) / Math.log2(known);
}

/**
 * Seconds of an all-reduce: as measured, where the link was, else around a ring, in which each chip sends 2 (n - 1)
 * pieces of 1/n of the data (Patarasuk and Yuan, 2009).
 *
 * @param bytes that each chip holds
 */
export function allReduceSeconds(bytes: number, chips: number, link: Link): number {
  if (chips === 1) return 0;
  if (link.allReduce !== undefined) return measuredAllReduceSeconds(bytes, chips, link.allReduce);
  const hops = 2 * (chips - 1);
  return hops * (bytes / chips / link.bytesPerSecond + link.latencySeconds);
}

/** Messages from some size on that take longer than `allReduceSeconds` says. */
export interface LargeMessages {
  readonly fromBytes: number;
  /** What the longer time comes to, by number of chips, rising: each byte takes 1 / rate more. */
  readonly bytesPerSecond: readonly (readonly [chips: number, rate: number])[];
}

/** Seconds beyond `allReduceSeconds`; a number of chips that was not measured takes the next larger one that was. */
export function largeMessageSeconds(bytes: number, chips: number, large: LargeMessages | undefined): number {
  if (large === undefined || chips === 1 || bytes < large.fromBytes) return 0;
  const rates = large.bytesPerSecond;
  const [, rate] = rates.find(([known]) => known >= chips) ?? rates[rates.length - 1];
  return bytes / rate;
}

/**
 * Bytes a second that one chip sends at most. Two chips that reduce send each other what they hold, so the slope between
 * their two largest messages is the rate that is reached; without such a measurement it is that of the data sheet.
 */
export function reachedBytesPerSecond({ allReduce, bytesPerSecond }: Link): number {
  const points = allReduce?.find(([chips]) => chips === 2)?.[1].points;
  if (points === undefined) return bytesPerSecond;
  const [[x0, y0], [x1, y1]] = points.slice(-2);
  return (x1 - x0) / (y1 - y0);
}

/**
 * Seconds in which every chip sends every other one an equal part of its data, all at once: (n - 1)/n of it leave a chip.
 *
 * @param bytes that each chip holds before
 */
export function allToAllSeconds(bytes: number, chips: number, link: Link): number {
  if (chips === 1) return 0;
  return link.latencySeconds + (bytes * (chips - 1)) / chips / reachedBytesPerSecond(link);
}

/** Seconds in which one chip sends another so many bytes, as the stages of a pipeline do. */
export function sendSeconds(bytes: number, link: Link): number {
  return link.latencySeconds + bytes / reachedBytesPerSecond(link);
}
