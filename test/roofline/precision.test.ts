import { describe, expect, it } from 'vitest';
import { BLOCK_TOKENS, KV_STORED, kvBlockBytes } from '../../src/kernels/attention/shape.js';
import { weightBytes } from '../../src/model/weights.js';
import { forwardOperations } from '../../src/model/cost.js';
import { QUANTIZED_DTYPES } from '../../src/quantization/formats.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { predict } from '../../src/roofline/predict/predict.js';
import { bytesOfWeight, precisionOf, weightDtype } from '../../src/roofline/hardware/precision.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { LLAMA_2_7B } from '../support/model.js';
import { calibration } from './calibration.js';

describe('bytes of the cache', () => {
  it.each(KV_STORED)('are those the engine allocates, those of scales included: %s', (kv) => {
    const hardware = hardwareById('h100-sxm');
    for (const config of [LLAMA_2_7B, { ...LLAMA_2_7B, kvHeads: 8, headDim: 80 }]) {
      const { memory, predictor } = predict({
        ...{ model: familyModel('7b', config), hardware, kv, promptTokens: 500, outputTokens: 12, batch: 3 },
      });
      // A whole number of blocks; the engine rounds up to one.
      const allocated = 3 * (512 / BLOCK_TOKENS) * 2 * config.layers * kvBlockBytes(config, kv);
      expect(memory.kvBytes).toBe(allocated);
      const read = predictor
        .operations({ sequences: [{ newTokens: 1, context: 511 }], logitRows: 1 })
        .reduce((sum, { kvReadBytes }) => sum + kvReadBytes, 0);
      expect(3 * read).toBe(allocated);
    }
  });
});

describe('bytes of quantised weights', () => {
  it('are those the engine allocates, scales included', () => {
    const { parameters, headParameters = 0 } = familyModel('7b', LLAMA_2_7B);
    for (const dtype of QUANTIZED_DTYPES) {
      const allocated = weightBytes(LLAMA_2_7B, { dtype, lanes: 1 }, false, 'f16');
      const predicted = (parameters - headParameters) * bytesOfWeight(dtype) + headParameters * 2;
      // What is left are norms, which stay in f32.
      expect(Math.abs(allocated / predicted - 1)).toBeLessThan(2e-3);
    }
  });

  it('are read by layers, those of the head by the head', () => {
    const precision = precisionOf({ weights: 'int4-g32', head: 'f16', kv: 'f16', compute: 'f16' }, 'shader');
    const list = forwardOperations(LLAMA_2_7B, { sequences: [{ newTokens: 1, context: 0 }], logitRows: 1 }, precision);
    const bytes = (name: string): number => list.find((each) => each.name === name)!.weightBytes;
    expect(bytes('layers.0.down_proj')).toBe(4096 * 11008 * 0.5625);
    expect(bytes('lm_head'), 'with the last norm').toBe(32000 * 4096 * 2 + 4096 * 4);
  });

  it('are known by the names of formats alone', () => {
    expect(weightDtype('int4-g64-zp')).toBe('int4-g64-zp');
    expect(weightDtype('int4')).toBe('int4');
    expect(weightDtype('int5')).toBeUndefined();
    expect(bytesOfWeight('int8-g128')).toBe(1 + 2 / 128);
    expect(bytesOfWeight('int4-g32-zp')).toBe(0.5 + 4 / 32);
  });
});

describe('rows of prompts on this machine', () => {
  const productBytes = (isCpu: boolean, options: object = {}): number | undefined =>
    new Predictor(familyModel('7b', LLAMA_2_7B), fromCalibration({ ...calibration, isCpu }), options).precision
      .productBytes;

  it('are f16 where the engine has matrices for them', () => {
    expect(calibration.ceilings.subgroupMatrix.length).toBeGreaterThan(0);
    expect(productBytes(false)).toBe(2);
    expect(productBytes(false, { weights: 'int4-g32' })).toBe(2);
    expect(productBytes(true), 'a CPU driver spells matrices out').toBeUndefined();
    expect(productBytes(false, { weights: 'bf16' })).toBeUndefined();
    expect(productBytes(false, { weights: 'int8-g32', activations: 'int8' })).toBe(1);
  });
});

describe('products in 8 bits on this machine', () => {
  const measured = { ...calibration, isCpu: true, ceilings: { ...calibration.ceilings, int8OpsPerSecond: 3e12 } };
  const predictor = (options: object, machine = measured): Predictor =>
    new Predictor(familyModel('7b', LLAMA_2_7B), fromCalibration(machine), { weights: 'int8-g128', ...options });
  const prompt = { sequences: [{ newTokens: 512, context: 0 }], logitRows: 1 };
  const decode = { sequences: [{ newTokens: 1, context: 511 }], logitRows: 1 };
  const priced = ({ pricer, ...rest }: Predictor, batch: typeof prompt, name: string) => {
    const list = rest.model.operations(batch, rest.precision);
    return pricer.price(list.find((operation) => operation.name === `layers.0.${name}`)!);
  };

  it('are those of prompts alone, as the engine runs them', () => {
    for (const options of [{ activations: 'int8' }, { compute: 'int8' }]) {
      const own = predictor(options);
      expect(own.precision.productBytes).toBe(1);
      expect(priced(own, prompt, 'qkv').roof).toMatchObject({ name: 'shader int8', rate: 3e12 });
      expect(priced(own, prompt, 'attention').roof.name).toBe('shader f32');
      expect(priced(own, prompt, 'mlp_quantise').seconds).toBeGreaterThan(0);
      expect(priced(own, decode, 'qkv')).toEqual(priced(predictor({}), decode, 'qkv'));
    }
    expect(predictor({}).precision.productBytes).toBeUndefined();
  });

  it('take the ratio of matrices of i8 to those of f16 on a GPU that has both', () => {
    const rate = priced(predictor({ activations: 'int8' }, { ...measured, isCpu: false }), prompt, 'qkv').roof.rate;
    expect(rate).toBeCloseTo((1e12 * 9e12) / 4e12);
  });
});
