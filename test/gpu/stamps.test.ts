import { describe, expect, it } from 'vitest';
import { passTimes } from '../../src/gpu/stamps.js';

const times = (...stamps: number[]) =>
  passTimes(BigUint64Array.from(stamps, (stamp) => 4_000_000_000_000_000_000n + BigInt(stamp)));
const lasting = (...stamps: number[]) => times(...stamps).map(({ beginNs, endNs }) => endNs - beginNs);

describe('times of passes', () => {
  it('are those of their stamps where these do not overlap', () => {
    expect(times(100, 110, 115, 140)).toEqual([
      { beginNs: 0, endNs: 10 },
      { beginNs: 15, endNs: 40 },
    ]);
    expect(passTimes(new BigUint64Array(0))).toEqual([]);
  });

  it('hold nothing of the pass before, whose end the begin was stamped ahead of', () => {
    // Begins are stamped when the device reads the command: the second and third while the first is at work.
    expect(lasting(0, 50, 1, 80, 2, 90)).toEqual([50, 30, 10]);
  });

  it('add up to the time from the first begin to the last end', () => {
    const overlapping = [0, 50, 10, 80, 50, 81, 60, 140];
    expect(lasting(...overlapping).reduce((sum, ns) => sum + ns)).toBe(140);
  });

  it('are never negative, whatever a driver stamps', () => {
    expect(times(10, 50, 20, 30, 5, 60)).toEqual([
      { beginNs: 0, endNs: 40 },
      { beginNs: 40, endNs: 40 },
      { beginNs: 40, endNs: 50 },
    ]);
  });
});
