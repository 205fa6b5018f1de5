import { describe, expect, test } from 'vitest';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { DEEPSEEK_V2 } from '../../src/roofline/models/deepseek.js';
import { ENGINE_IDS, engineById, usualEngine, type EngineProfile } from '../../src/roofline/hardware/engines.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import {
  allReduceSeconds,
  allToAllSeconds,
  largeMessageSeconds,
  measuredAllReduceSeconds,
  reachedBytesPerSecond,
  sendSeconds,
} from '../../src/roofline/hardware/collectives.js';
import { predict, priceStep } from '../../src/roofline/predict/predict.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { bytesOf, price, Pricer } from '../../src/roofline/predict/price.js';
import { sweep } from '../../src/roofline/questions/sweep.js';
import { calibration } from './calibration.js';
import { preset } from './models.js';

const [h100, a100] = ['h100-sxm', 'a100-80'].map(hardwareById);
const llama = preset('llama-2-7b');
const request = { promptTokens: 512, outputTokens: 128 };

describe('a price', () => {
  const ideal = { compute: 1, bandwidth: 1, overlap: Infinity, launchSeconds: 0 };
  const efficiencies = { 'matmul-few': ideal, 'matmul-many': ideal };
  const [, , qkv] = llama.operations(decodeStep(0, 1), { weightBytes: 2, kvBytes: 2, activationBytes: 2 });

  test('with ideal kernels is the classical roofline', () => {
    const { seconds, bottleneck, intensity } = price(qkv, h100, { efficiencies });
    expect(seconds).toBeCloseTo(bytesOf(qkv) / 3350e9, 15);
    expect(bottleneck).toBe('memory');
    expect(intensity).toBeCloseTo(1, 2);
  });

  test('has both times, their soft maximum, and a launch', () => {
    const half = { compute: 0.5, bandwidth: 0.5, overlap: 2, launchSeconds: 1e-6 };
    const found = price(qkv, h100, { efficiencies: { 'matmul-few': half } });
    expect(found.computeSeconds).toBeCloseTo(qkv.flops / (0.5 * 989.4e12), 15);
    expect(found.memorySeconds).toBeCloseTo(bytesOf(qkv) / (0.5 * 3350e9), 15);
    expect(found.seconds).toBeCloseTo(Math.hypot(found.computeSeconds, found.memorySeconds) + 1e-6, 12);
  });
});

describe('matrix units that want more watts than a card may draw', () => {
  const prompt = { sequences: [{ newTokens: 512, context: 0, prefill: true }], logitRows: 1 };
  /** Seconds that a prompt's first product computes, on a card of 100 TFLOP/s. */
  const computing = (tdpWatts: number | undefined, phase: 'prompt' | 'token', id = 'rtx-4000-ada') => {
    const card = { ...hardwareById(id), dense: { f16: 100e12 }, tdpWatts };
    const predictor = new Predictor(llama, card, { engine: 'llama.cpp' });
    const [{ price: found }] = priceStep(predictor, phase === 'prompt' ? prompt : decodeStep(0, 1)).filter(
      ({ operation }) => operation.name.endsWith('qkv'),
    );
    return found.computeSeconds;
  };

  test('take as much longer for prompts, where an engine is known to', () => {
    const roof = computing(1e9, 'prompt');
    // 2 W for each TFLOP/s; what the engine takes longer anyway is 1.4 times.
    expect(computing(100, 'prompt') / roof).toBeCloseTo(2 / 1.4, 9);
    expect(computing(50, 'prompt') / roof).toBeCloseTo(4 / 1.4, 9);
    expect(computing(150, 'prompt')).toBe(roof);
    expect(computing(undefined, 'prompt')).toBe(roof);
    expect(computing(50, 'token')).toBe(computing(1e9, 'token'));
    expect(computing(50, 'prompt', 'rtx-a6000')).toBe(computing(1e9, 'prompt', 'rtx-a6000'));
  });
});

describe('a product of short sums', () => {
  test('costs something for each output beside them', () => {
    const even = { compute: 0.5, bandwidth: 0.5, overlap: Infinity, launchSeconds: 0 };
    const [, norm, qkv] = llama.operations(
      { sequences: [{ newTokens: 2048, context: 0, prefill: true }], logitRows: 1 },
      { weightBytes: 2, kvBytes: 2, activationBytes: 2 },
    );
    const of = (outputFlops?: number) => {
      const efficiency = { ...even, ...(outputFlops !== undefined && { outputFlops }) };
      return new Pricer(h100, { efficiencies: { 'matmul-many': efficiency, elementwise: efficiency } });
    };
    // As many as the sum of 4,096 products takes: twice the time.
    expect(of(2 * 4096).price(qkv).seconds).toBeCloseTo(2 * of().price(qkv).seconds, 9);
    expect(of(2 * 4096).seconds(qkv)).toBe(of(2 * 4096).price(qkv).seconds);
    expect(of(8192).seconds(norm)).toBe(of().seconds(norm));
  });
});

describe('steps', () => {
  const predictors = [
    new Predictor(llama, h100),
    new Predictor(preset('llama-3.1-70b'), a100, { tensorParallel: 4, weights: 'int8' }),
    new Predictor(DEEPSEEK_V2, h100, { tensorParallel: 8 }),
  ];

  test.each(predictors.map((each) => [each.model.name, each] as const))(
    '%s: equal layers priced once take as long as every operation priced',
    (_, predictor) => {
      for (const step of [decodeStep(300, 5), ...predictor.prefillSteps(100, 2)]) {
        const all = priceStep(predictor, step).reduce((sum, { price: { seconds } }) => sum + seconds, 0);
        expect(predictor.stepSeconds(step) / (all + predictor.linkSeconds(step))).toBeCloseTo(1, 10);
      }
    },
  );

  test.each(predictors.map((each) => [each.model.name, each] as const))(
    '%s: decode steps told from two of them are the steps themselves',
    (_, predictor) => {
      for (const context of [0, 1, 777, 20_000]) {
        for (const batch of [1, 33]) {
          const step = predictor.stepSeconds(decodeStep(context, batch));
          expect(predictor.decodeStepSeconds(context, batch) / step).toBeCloseTo(1, 9);
        }
      }
      let sum = 0;
      for (let step = 0; step < 500; step++) sum += predictor.stepSeconds(decodeStep(64 + step, 8));
      expect(predictor.decodeSeconds(64, 500, 8) / sum).toBeCloseTo(1, 6);
    },
  );

  test('prefill in chunks covers the prompts and asks each once for logits', () => {
    const chunked = new Predictor(llama, h100, { prefillChunk: 100 });
    const steps = chunked.prefillSteps(130, 2, 7);
    const tokens = steps.map(({ sequences }) => sequences.reduce((sum, { newTokens }) => sum + newTokens, 0));
    expect(tokens).toEqual([100, 100, 60]);
    expect(steps.map(({ logitRows }) => logitRows)).toEqual([0, 1, 1]);
    expect(steps[1].sequences).toEqual([
      { newTokens: 30, context: 107, prefill: true },
      { newTokens: 70, context: 7, prefill: true },
    ]);
    expect(chunked.prefillSeconds(130, 2)).toBeGreaterThan(new Predictor(llama, h100).prefillSeconds(130, 2));
  });

  test('the host’s costs count: recording as a floor, the way back once', () => {
    const slow = { ...calibration, ceilings: { ...calibration.ceilings, recordSeconds: 1, roundTripSeconds: 5 } };
    const predictor = new Predictor(llama, fromCalibration(slow));
    const layers = llama.layers;
    // A layer of prompts has launches of its own for two norms and the rotation.
    expect(predictor.decodeSeconds(10, 3)).toBe(3 * (3 + 5 * layers));
    expect(predictor.prefillSeconds(10)).toBe(2 * (3 + 8 * layers) + 5);
  });

  test('costs measured on whole steps take the place of the host’s', () => {
    const machine = fromCalibration(calibration);
    const host = { ...machine.host!, recordSeconds: 0, roundTripSeconds: 0 };
    const bare = new Predictor(llama, { ...machine, host });
    const steps = {
      first: { stretch: 1.5, seconds: 0.25, rowSeconds: 0 },
      next: { stretch: 1.25, seconds: 0.5, rowSeconds: 0.125 },
      alone: { stretch: 2, seconds: 1, rowSeconds: 0 },
    };
    const predictor = new Predictor(llama, fromCalibration({ ...calibration, steps }));
    expect(predictor.prefillSeconds(10)).toBeCloseTo(1.5 * bare.prefillSeconds(10) + 0.25, 9);
    expect(predictor.decodeSeconds(10, 3, 4)).toBeCloseTo(
      1.25 * bare.decodeSeconds(10, 3, 4) + 3 * (0.5 + 4 * 0.125),
      9,
    );
    expect(predictor.stepSeconds(decodeStep(10, 4))).toBeCloseTo(predictor.decodeSeconds(10, 1, 4), 9);
    const step = decodeStep(10, 1);
    expect(predictor.stepsSeconds([step], 'alone')).toBeCloseTo(2 * bare.deviceSeconds(step) + 1, 9);
  });
});

describe('a prediction', () => {
  const found = predict({ model: llama, hardware: h100, ...request, batch: 4 });

  test('adds up', () => {
    expect(found.e2eSeconds).toBeCloseTo(found.ttftSeconds + 127 * found.tpotSeconds!, 12);
    expect(found.tokensPerSecond).toBeCloseTo(4 / found.tpotSeconds!, 6);
    expect(found.itlFirstSeconds!).toBeLessThan(found.tpotSeconds!);
    expect(found.itlLastSeconds!).toBeGreaterThan(found.tpotSeconds!);
    const parts = found.prefill.operations.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(parts).toBeCloseTo(found.ttftSeconds, 12);
    expect(found.decode!.idleCompute).toBeCloseTo(1 - found.decode!.mfu, 12);
  });

  test('tells the phases apart', () => {
    const long = predict({ model: llama, hardware: h100, promptTokens: 2048, outputTokens: 8 });
    expect(long.prefill.bottleneck).toBe('compute');
    expect(long.decode!.bottleneck).toBe('memory');
    expect(long.prefill.intensity).toBeGreaterThan(long.prefill.ridge);
    expect(long.decode!.idleCompute).toBeGreaterThan(0.99);
  });

  test('knows memory', () => {
    const { memory } = found;
    expect(memory.weightBytes).toBe(2 * llama.parameters);
    expect(memory.kvBytes).toBe(4 * 640 * 524_288);
    const at = (batch: number) => predict({ model: llama, hardware: h100, ...request, batch }).memory.fits;
    expect([at(memory.largestBatch!), at(memory.largestBatch! + 1)]).toEqual([true, false]);
    expect(predict({ model: llama, hardware: hardwareById('groqrack'), ...request, batch: 2 }).memory.fits).toBe(false);
  });

  test('a single token has no gaps', () => {
    const one = predict({ model: llama, hardware: h100, promptTokens: 5, outputTokens: 1 });
    expect(one).toMatchObject({ tpotSeconds: undefined, tokensPerSecond: undefined, decode: undefined });
    expect(one.e2eSeconds).toBe(one.ttftSeconds);
  });

  test('refuses what makes no sense', () => {
    expect(() => predict({ model: llama, hardware: h100, promptTokens: 0, outputTokens: 1 })).toThrow(/promptTokens/);
    expect(() => predict({ model: llama, hardware: h100, ...request, tensorParallel: 3 })).toThrow(/32 heads/);
    const apple = hardwareById('apple-m1');
    expect(() => predict({ model: llama, hardware: apple, ...request, tensorParallel: 2 })).toThrow(/no link/);
  });
});

describe('tensor parallelism', () => {
  test('an all-reduce goes round the ring twice', () => {
    const link = { name: 'l', bytesPerSecond: 1e9, latencySeconds: 1e-6 };
    expect(allReduceSeconds(4e6, 4, link)).toBeCloseTo(6 * (1e-3 + 1e-6), 12);
    expect(allReduceSeconds(4e6, 1, link)).toBe(0);
  });

  describe('collectives that were measured', () => {
    const allReduce = [
      [
        2,
        {
          latencySeconds: 10e-6,
          points: [
            [1e6, 20e-6],
            [2e6, 30e-6],
          ],
        },
      ],
      [
        8,
        {
          latencySeconds: 30e-6,
          points: [
            [1e6, 50e-6],
            [2e6, 80e-6],
          ],
        },
      ],
    ] as const;
    const link = { name: 'l', bytesPerSecond: 1e12, latencySeconds: 5e-6, allReduce };

    test('lie on the lines between the points, for more chips on those of the next number that was measured', () => {
      const micros = (bytes: number, chips: number) => 1e6 * measuredAllReduceSeconds(bytes, chips, allReduce);
      expect(micros(0, 2)).toBeCloseTo(10, 9);
      expect(micros(0.5e6, 2)).toBeCloseTo(15, 9);
      expect(micros(1.5e6, 2)).toBeCloseTo(25, 9);
      expect(micros(4e6, 2)).toBeCloseTo(50, 9);
      expect(micros(1e6, 4)).toBeCloseTo(50, 9);
      // Beyond the largest: 15/16 of the bytes in place of 7/8, and a latency that grows as the logarithm.
      expect(micros(1e6, 16)).toBeCloseTo((20 * 15) / 14 + 40, 9);
    });

    test('give the rate of sends, whose bytes are those that leave a chip', () => {
      expect(reachedBytesPerSecond(link)).toBeCloseTo(1e11, -3);
      expect(sendSeconds(1e6, link)).toBeCloseTo(15e-6, 12);
      expect(allToAllSeconds(1e6, 4, link)).toBeCloseTo(5e-6 + 7.5e-6, 12);
      expect(allToAllSeconds(1e6, 1, link)).toBe(0);
    });
  });

  test('a small message costs more on more chips, and far less than a hop for each', () => {
    const { link } = h100;
    const small = [2, 4, 8].map((chips) => 1e6 * allReduceSeconds(8192, chips, link!));
    expect(small[0]).toBeGreaterThan(5);
    expect(small[1]).toBeGreaterThan(small[0]);
    expect(small[2]).toBeGreaterThan(small[1]);
    expect(small[2]).toBeLessThan(40);
  });

  test('stages of a pipeline divide weights, and a step visits them all', () => {
    const model = preset('llama-3.1-70b');
    const [flat, staged] = [{}, { pipelineParallel: 4 }].map((each) =>
      predict({ model, hardware: h100, ...request, ...each }),
    );
    expect(staged.chips).toBe(4);
    expect([flat.memory.fits, staged.memory.fits]).toEqual([false, true]);
    const sends = (staged.tpotSeconds! - flat.tpotSeconds!) / 3;
    expect(sends).toBeCloseTo(sendSeconds(model.hidden * 2, h100.link!), 9);
    expect(staged.decode!.operations.map(({ name }) => name)).toContain('send');
    expect(() => predict({ model, hardware: h100, ...request, pipelineParallel: 81 })).toThrow(/80 layers/);
  });

  test('whole experts on chips trade an all-reduce of each layer that has them for two all-to-alls', () => {
    const options = { tensorParallel: 8, expertParallel: true };
    const predictor = new Predictor(DEEPSEEK_V2, h100, options);
    const [reduce, all] = predictor.messages(decodeStep(100, 64));
    expect([reduce.name, reduce.count, all.name, all.count]).toEqual(['all_reduce', 61, 'all_to_all', 118]);
    expect(all.seconds).toBeCloseTo(allToAllSeconds((64 / 8) * 6 * 5120 * 2, 8, h100.link!), 12);
    expect(() => new Predictor(llama, h100, options)).toThrow(/no routed experts/);
  });

  test('divides weights, work and cache, and no further than there are KV heads', () => {
    const model = preset('llama-3.1-70b');
    const sum = (chips: number, key: 'flops' | 'weightBytes' | 'kvReadBytes') =>
      new Predictor(model, h100, { tensorParallel: chips })
        .operations(decodeStep(1000, 1))
        .reduce((total, operation) => total + operation[key], 0);
    expect(sum(8, 'weightBytes') / sum(1, 'weightBytes')).toBeCloseTo(1 / 8, 3);
    expect(sum(8, 'flops') / sum(1, 'flops')).toBeCloseTo(1 / 8, 3);
    expect(sum(8, 'kvReadBytes')).toBe(sum(1, 'kvReadBytes') / 8);
    expect(sum(16, 'kvReadBytes')).toBe(sum(8, 'kvReadBytes'));
  });
});

/**
 * Single measurements: LLM-Inference-Bench (argonne-lcf, TensorRT-LLM and vLLM) and splitwise-sim's profiles, whose
 * engine launches kernels one by one. The ledger holds them all.
 */
describe('against measurements elsewhere', () => {
  test.each([
    ['llama-2-7b', 'a100-40', 'trt-llm-2024', 1, 1024, 16, 967, 21.4],
    ['llama-2-7b', 'h100-sxm', 'trt-llm-2024', 1, 1024, 16, 387, 11.0],
    ['llama-2-7b', 'h100-sxm', 'vllm-2024', 1, 1024, 16, 422, 12.5],
    ['bloom-176b', 'a100-80', 'pytorch-eager', 8, 512, 1, 174, 49.3],
    ['bloom-176b', 'a100-80', 'pytorch-eager', 8, 2048, 1, 540, 49.4],
    ['bloom-176b', 'h100-sxm', 'pytorch-eager', 8, 512, 1, 76, 36.2],
    ['bloom-176b', 'h100-sxm', 'pytorch-eager', 8, 2048, 1, 253, 35.7],
  ] as const)(
    '%s on %s, %s x %i, prompt %i, batch %i',
    (name, id, engine, tensorParallel, promptTokens, batch, ttft, tpot) => {
      const model = name === 'bloom-176b' ? BLOOM_176B : preset(name);
      const hardware = hardwareById(id);
      const found = predict({ model, hardware, engine, tensorParallel, promptTokens, outputTokens: 1024, batch });
      expect(Math.abs((1000 * found.ttftSeconds) / ttft - 1)).toBeLessThan(0.15);
      expect(Math.abs((1000 * found.tpotSeconds!) / tpot - 1)).toBeLessThan(0.15);
    },
  );
});

describe('an engine', () => {
  const base = new Predictor(llama, h100);
  const profile: EngineProfile = {
    ...engineById('vllm'),
    ...{ stretch: 1.5, promptStretch: 2, stepSeconds: 0.25, rowSeconds: 0.125, requestSeconds: 4, layerSeconds: 0 },
  };

  test('adds its costs to each step, each sequence and each request', () => {
    const predictor = new Predictor(llama, h100, { engine: profile });
    expect(predictor.decodeSeconds(10, 3, 4)).toBeCloseTo(
      1.5 * base.decodeSeconds(10, 3, 4) + 3 * (0.25 + 4 * 0.125),
      9,
    );
    expect(predictor.stepSeconds(decodeStep(10, 4))).toBeCloseTo(predictor.decodeSeconds(10, 1, 4), 9);
    expect(predictor.prefillSeconds(64, 2)).toBeCloseTo(2 * base.prefillSeconds(64, 2) + 0.25 + 2 * 0.125 + 4, 9);
  });

  test('that launches layers one by one bounds a step, and has other hosts on other hardware', () => {
    const engine = { ...profile, ...{ stretch: 1, stepSeconds: 0, rowSeconds: 0, layerSeconds: 1 } };
    const device = base.decodeSeconds(10, 1);
    const bound = (more: object) => new Predictor(llama, h100, { engine: { ...engine, ...more } }).decodeSeconds(10, 1);
    expect(bound({})).toBeCloseTo(Math.hypot(device, llama.layers), 9);
    expect(bound({ on: { 'h100-sxm': { layerSeconds: 2 } } })).toBeCloseTo(Math.hypot(device, 2 * llama.layers), 9);
    expect(bound({ on: { 'a100-80': { layerSeconds: 2 } } })).toBeCloseTo(Math.hypot(device, llama.layers), 9);
  });

  test('drives many chips with more processes, which cost a step more with each doubling', () => {
    const engine = {
      ...profile,
      ...{ stretch: 1, stepSeconds: 0.5, stepDoubling: 0.25, rowSeconds: 0, layerSeconds: 1, layerDoubling: 0.5 },
    };
    const on = (tensorParallel: number, more: object) =>
      new Predictor(llama, h100, { tensorParallel, ...more }).decodeSeconds(10, 1);
    for (const [chips, doublings] of [
      [1, 0],
      [2, 1],
      [8, 3],
    ]) {
      const launching = llama.layers * (1 + 0.5 * doublings);
      expect(on(chips, { engine })).toBeCloseTo(Math.hypot(on(chips, {}), launching) + 0.5 + 0.25 * doublings, 9);
    }
  });

  test('may be slower at computing prompts, not at moving their bytes, nor at tokens', () => {
    const engine = { ...engineById('none'), promptCompute: 2 };
    const slow = new Predictor(llama, h100, { engine });
    const matmuls = (predictor: Predictor, tokens: number) =>
      predictor
        .parts({ sequences: [{ newTokens: tokens, context: 0, prefill: true }], logitRows: 1 })
        .filter(({ operation }) => operation.part === 'gate_up')
        .reduce((sum, { count, seconds }) => sum + count * seconds, 0);
    expect(matmuls(slow, 8192) / matmuls(base, 8192)).toBeGreaterThan(1.8);
    expect(matmuls(slow, 8) / matmuls(base, 8)).toBeLessThan(1.05);
    expect(slow.decodeSeconds(100, 10, 64)).toBe(base.decodeSeconds(100, 10, 64));
  });

  test('of 2024 reads keys and values that heads share more than once, and only those', () => {
    const engine = { ...engineById('none'), groupedReads: 1.5 };
    const grows = (name: string, more: object) => {
      const predictor = new Predictor(preset(name), h100, more);
      return predictor.decodeSeconds(4096, 1, 64) - predictor.decodeSeconds(1024, 1, 64);
    };
    expect(grows('llama-3.1-8b', { engine })).toBeCloseTo(1.5 * grows('llama-3.1-8b', {}), 6);
    expect(grows('llama-2-7b', { engine })).toBe(grows('llama-2-7b', {}));
  });

  test('may take longer for large messages among many chips', () => {
    const large = { fromBytes: 1000, bytesPerSecond: [[2, Infinity] as const, [4, 100] as const, [8, 50] as const] };
    const extra = (bytes: number, chips: number) => largeMessageSeconds(bytes, chips, large);
    expect([extra(999, 8), extra(1000, 1), extra(1000, 2)]).toEqual([0, 0, 0]);
    expect([extra(1000, 4), extra(2000, 8), extra(1000, 3), extra(1000, 16)]).toEqual([10, 40, 10, 20]);
    expect(largeMessageSeconds(1e9, 8, undefined)).toBe(0);
    const steps = (tokens: number, more: object) =>
      new Predictor(llama, h100, { tensorParallel: 4, ...more }).linkSeconds({
        sequences: [{ newTokens: tokens, context: 0, prefill: true }],
        logitRows: 1,
      });
    const engine = {
      ...engineById('none'),
      largeMessages: { fromBytes: 2 ** 26, bytesPerSecond: [[4, 1e9] as const] },
    };
    expect(steps(4096, { engine })).toBe(steps(4096, {}));
    expect(steps(8192, { engine }) - steps(8192, {})).toBeCloseTo((2 * llama.layers * 2 ** 26) / 1e9, 9);
  });

  test('is one for each piece of hardware unless named, and none on a calibrated machine', () => {
    const usual = ['h100', 'mi300x', 'apple-m2', 'rtx-4090', 'groqrack'].map((id) => usualEngine(hardwareById(id)));
    expect(usual).toEqual(['trt-llm', 'vllm', 'llama.cpp', 'llama.cpp', 'none']);
    expect(usualEngine(fromCalibration(calibration))).toBe('none');
    for (const id of ENGINE_IDS) expect(engineById(id).source.length, id).toBeGreaterThan(10);
  });
});

test('a sweep of 10,000 points has what each point has alone', () => {
  const steps = (n: number, by: number) => Array.from({ length: n }, (_, i) => by * (i + 1));
  const axes = {
    hardware: [h100, a100],
    weights: ['f16', 'int8'] as const,
    promptTokens: steps(10, 128),
    outputTokens: steps(25, 64),
    batch: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  };
  const points = [...sweep(llama, axes)];
  expect(points).toHaveLength(10_000);
  const [first] = points;
  const alone = predict({ model: llama, hardware: h100, promptTokens: 128, outputTokens: 64 });
  expect(first.tpotSeconds).toBeCloseTo(alone.tpotSeconds!, 12);
  expect(first.ttftSeconds).toBeCloseTo(alone.ttftSeconds, 12);
});
