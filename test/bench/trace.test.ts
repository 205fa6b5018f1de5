import { expect, test } from 'vitest';
import { busyShare, busyText } from '../../bench/profile/busy.js';
import { topOperations } from '../../bench/profile/top.js';
import { profileTrace, type NamedStep } from '../../bench/profile/trace.js';
import { FakeEngine } from './made-up.js';

const ABOUT = { adapter: 'Made-up GPU', model: 'tiny' };

async function steps(): Promise<NamedStep[]> {
  const probe = new FakeEngine().probe();
  const predictedMs = new Map(['layers.0.qkv', 'layers.1.qkv'].map((name) => [name, 0.001]));
  return [
    { name: 'prefill 8', step: await probe.prefill(8, 0, { profile: true }), predictedMs },
    { name: 'decode 1', step: await probe.decode(1, 8, { profile: true }), predictedMs },
  ];
}

test('steps, recording and operations are on tracks of their own, with names', async () => {
  const { traceEvents } = profileTrace(await steps(), ABOUT);
  const names = traceEvents.filter(({ ph, name }) => ph === 'M' && name === 'thread_name');
  expect(names.map(({ tid, args }) => [tid, args!.name])).toEqual([
    [1, 'steps'],
    [2, 'CPU: recording and submitting'],
    [3, 'GPU: operations'],
  ]);
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  expect(spans.filter(({ tid }) => tid === 1).map(({ name }) => name)).toEqual(['prefill 8', 'decode 1']);
  expect(spans.filter(({ tid }) => tid === 2).map(({ name }) => name)).toEqual(
    ['prefill 8', 'decode 1'].flatMap((step) => [`record ${step}`, `submit ${step}`]),
  );
  expect(spans.filter(({ tid }) => tid === 3)).toHaveLength(2 * 19);
});

test('times are microseconds from the first step on, none negative', async () => {
  const { traceEvents } = profileTrace(await steps(), ABOUT);
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  expect(Math.min(...spans.map(({ ts }) => ts!))).toBe(0);
  expect(spans.every(({ dur }) => dur! >= 0)).toBe(true);
  const qkv = spans.find(({ name }) => name === 'layers.0.qkv')!;
  expect(qkv.dur).toBeCloseTo(1, 9);
  expect(qkv.args).toEqual({ step: 'prefill 8', predicted_us: 1 });
});

test('operations run after they were submitted, and within their step', async () => {
  const { traceEvents } = profileTrace(await steps(), ABOUT);
  const [step] = traceEvents.filter(({ ph, tid }) => ph === 'X' && tid === 1);
  const [record, submit] = traceEvents.filter(({ ph, tid }) => ph === 'X' && tid === 2);
  const own = traceEvents.filter(({ tid, args, ph }) => ph === 'X' && tid === 3 && args!.step === 'prefill 8');
  expect(submit.ts!).toBeCloseTo(record.ts! + record.dur!, 6);
  expect(own[0].ts!).toBeGreaterThanOrEqual(submit.ts! + submit.dur! - 1e-6);
  const last = own.at(-1)!;
  expect(last.ts! + last.dur!).toBeLessThanOrEqual(step.ts! + step.dur! + 1e-6);
});

test('the list of operations has measured, predicted and their ratio', async () => {
  const text = topOperations('Prefill of 8 tokens', (await steps()).slice(0, 1));
  const row = text.split('\n').find((line) => line.includes('qkv'))!;
  expect(row.split('|').map((cell) => cell.trim())).toEqual([
    ...['', 'qkv', '2', '0.002', '10.5 %', '0.002', '1.00', ''],
  ]);
});

test('the share of time at work leaves out what lies between steps', () => {
  const steps = [
    { beginNs: 0, endNs: 2e6 },
    { beginNs: 3e6, endNs: 5e6 },
    { beginNs: 4.9e6, endNs: 8e6 }, // clocks of passes may overlap by a little
    { beginNs: 8.5e6, endNs: 10e6 },
  ];
  const busy = busyShare(steps);
  expect(busy).toEqual({ steps: 4, spanMs: 10, share: 0.85, medianGapMs: 0.5, largestGapMs: 1 });
  expect(busyText(busy)).toMatch(/^GPU at work for 85\.0 % of 10 ms .* 4 tokens; between steps 0\.500 ms .* 1\.000 ms/);
});
