import { describe, expect, it } from 'vitest';
import { bandwidths } from '../../src/cli/commands/simulate/network.js';
import { predictorOf } from '../../src/published/seeds/subjects.js';
import { gainMap } from '../../src/roofline/questions/gain-map.js';

const [a100, groq] = ['a100-80', 'groqrack'].map((id) => predictorOf('llama-2-7b', id));
const GBPS = 1e9 / 8;

describe('the map of gains', () => {
  const [cell] = gainMap(a100, groq, {
    promptLengths: [1024],
    outputLengths: [16],
    bytesPerSecond: [8 * GBPS, 100 * GBPS, 800 * GBPS],
  });

  it('is the better platform alone over both, with the transfer in between', () => {
    const [slow, , fast] = cell.split;
    expect(slow.transferSeconds).toBeCloseTo(0.537, 3);
    expect(cell.gains[2]).toBeCloseTo(Math.min(...cell.aloneSeconds.map((each) => each!)) / fast.e2eSeconds, 12);
  });

  it('says from which bandwidth on splitting gains: there it is even', () => {
    const [even] = gainMap(a100, groq, {
      promptLengths: [1024],
      outputLengths: [16],
      bytesPerSecond: [cell.gainsFrom!],
    });
    expect(even.gains[0]).toBeCloseTo(1, 9);
    const slower = gainMap(a100, groq, { promptLengths: [128], outputLengths: [16], bytesPerSecond: [1e15] })[0];
    expect(slower.gainsFrom).toBe(Infinity);
    expect(slower.gains[0]).toBeLessThan(1);
  });

  it('refuses what does not fit, by name', () => {
    const [full] = gainMap(a100, groq, { promptLengths: [4096], outputLengths: [2048], bytesPerSecond: [GBPS] });
    expect(full.refused).toContain('cannot hold 6143 tokens');
    expect(full.gains).toEqual([undefined]);
    expect(full.aloneSeconds[0]).toBeGreaterThan(0);
  });
});

describe('bandwidths', () => {
  it('are a list, or ends with steps of equal ratio between them', () => {
    expect(bandwidths.read('8,100,400Gbps', undefined)).toEqual([8, 100, 400]);
    expect(bandwidths.read('1..800Gbps', undefined)).toEqual([1, 3.8, 14, 55, 210, 800]);
    for (const wrong of ['', 'fast', '8..1', '8,,1', '0'])
      expect(bandwidths.read(wrong, undefined), wrong).toBeUndefined();
  });
});
