import { describe, expect, it } from 'vitest';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/node/package-root.js';

interface Measured {
  ttftMs: number;
  tpotMs: number;
  ids: number[];
}
interface Engine {
  name: string;
  process: { measure(promptIds: number[], tokens: number): Promise<Measured> };
}
interface Plan {
  longPrompt: number[];
  shortPrompt: number[];
  decodeTokens: number;
}
interface Guard {
  run<T>(action: () => Promise<T>): Promise<T>;
  release(): Promise<void>;
}
interface Ratio {
  each: number[];
  median: number;
  min: number;
  max: number;
}
interface Modules {
  runRounds: (
    engines: Engine[],
    plan: Plan,
    rounds: number,
    guard: Guard,
    onMeasured: () => void,
  ) => AsyncGenerator<Record<string, Measured>>;
  promptOf: (length: number, vocab: number) => number[];
  summarize: (rounds: Record<string, Measured>[]) => {
    ratios: Record<string, { ttft: Ratio; tpot: Ratio; sameTokens: number; ofTokens: number }>;
  };
  agreement: (a: number[], b: number[]) => number;
  Guard: new (command?: string) => Guard;
}
const load = async (name: string) =>
  (await import(pathToFileURL(join(packageRoot(), 'bench', 'peers', name)).href)) as Modules;
const { runRounds, promptOf } = await load('rounds.mjs');
const { summarize, agreement } = await load('summary.mjs');
const { Guard } = await load('guard.mjs');

describe('rounds', () => {
  it('measure one engine at a time, every second round the other way round', async () => {
    const calls: string[] = [];
    let running = 0;
    const engine = (name: string): Engine => ({
      name,
      process: {
        async measure(promptIds, tokens) {
          expect(++running).toBe(1);
          calls.push(`${name} ${promptIds.length} ${tokens}`);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
          return { ttftMs: promptIds.length, tpotMs: tokens, ids: [promptIds.length] };
        },
      },
    });
    const plan = { longPrompt: [1, 2, 3], shortPrompt: [1], decodeTokens: 5 };
    const rounds = [];
    for await (const round of runRounds([engine('a'), engine('b')], plan, 2, new Guard(), () => undefined)) {
      rounds.push(round);
    }
    const of = (name: string) => [`${name} 3 1`, `${name} 1 5`];
    expect(calls).toEqual([...of('a'), ...of('b'), ...of('b'), ...of('a')]);
    expect(rounds[1]['b']).toEqual({ ttftMs: 3, tpotMs: 5, ids: [3, 1] });
  });

  it('prompt with ids of the vocabulary', () => {
    const prompt = promptOf(500, 300);
    expect(prompt[0]).toBe(1);
    expect(prompt.every((id) => id > 0 && id < 300)).toBe(true);
  });
});

describe('the summary', () => {
  it('makes ratios within a round, and takes their median', () => {
    const round = (ours: number, theirs: number, ids: number[]) => ({
      ridgepoint: { ttftMs: ours, tpotMs: 1, ids: [1, 2, 3] },
      peer: { ttftMs: theirs, tpotMs: 4, ids },
    });
    const rounds = [round(1, 2, [1, 2, 3]), round(9, 10, [1, 2, 4]), round(2, 20, [1, 2, 3])];
    const { peer } = summarize(rounds).ratios;
    expect(peer.ttft).toEqual({ each: [0.5, 0.9, 0.1], median: 0.5, min: 0.1, max: 0.9 });
    expect(peer.tpot.median).toBe(0.25);
    expect([peer.sameTokens, peer.ofTokens]).toEqual([2, 3]);
  });

  it('counts tokens up to the first that differs', () => {
    expect(agreement([1, 2, 3], [1, 2, 3])).toBe(3);
    expect(agreement([1, 2, 3], [0, 2, 3])).toBe(0);
    expect(agreement([1, 2, 3], [1, 2])).toBe(2);
  });
});

describe('the guard', () => {
  it('holds the machine over short measurements and lets it go', async () => {
    const guard = new Guard('cat');
    expect(await guard.run(() => Promise.resolve(1))).toBe(1);
    expect(await guard.run(() => Promise.resolve(2))).toBe(2);
    await guard.release();
    expect(await guard.run(() => Promise.resolve(3))).toBe(3);
    await guard.release();
  });

  it('says when the command does not hold', async () => {
    await expect(new Guard('true').run(() => Promise.resolve())).rejects.toThrow('"true" ended');
  });
});
