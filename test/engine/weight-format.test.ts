import { describe, expect, it } from 'vitest';
import { packedFormat } from '../../src/checkpoint/quantization-config.js';
import { activationDtype, weightFormats, type WeightFormatOptions } from '../../src/engine/weight-format.js';
import { quantizationConfig } from '../../src/quantization/saved.js';

describe('formats of weights', () => {
  it('are f16 unasked, and f16 for embedding and head beside quantised layers', () => {
    expect(weightFormats({})).toEqual({ dtype: 'f16', head: 'f16' });
    expect(weightFormats({ dtype: 'f32' })).toEqual({ dtype: 'f32', head: 'f32' });
    expect(weightFormats({ dtype: 'int8' })).toEqual({ dtype: 'int8-g128', head: 'f16' });
    const asked = { dtype: 'int4', groupSize: 128, zeroPoints: true, headDtype: 'int8' } as const;
    expect(weightFormats(asked)).toEqual({ dtype: 'int4-g128-zp', head: 'int8-g128-zp' });
    expect(weightFormats({ dtype: 'int4-g64', headDtype: 'f32' })).toEqual({ dtype: 'int4-g64', head: 'f32' });
  });

  it('are refused by the name of the option', () => {
    expect(() => weightFormats({ dtype: 'int5' as 'int8' })).toThrow(
      /^dtype must be one of auto, f16, .*found "int5"$/,
    );
    expect(() => weightFormats({ dtype: 'int4', groupSize: 48 })).toThrow(/^groupSize must be one of 32, 64, 128/);
    expect(() => weightFormats({ groupSize: 32 })).toThrow(/groupSize is for dtype int8 or int4/);
    expect(() => weightFormats({ dtype: 'bf16', zeroPoints: true })).toThrow(/zeroPoints is for dtype/);
    expect(() => weightFormats({ headDtype: 'f8' as 'f16' })).toThrow(/^headDtype must be one of/);
  });

  describe('of a checkpoint that was saved in some', () => {
    const saved = { dtype: 'int4-g64', head: 'int8-g128' } as const;
    const packed = packedFormat({ quantization_config: quantizationConfig(saved, '') });
    const formats = (options: WeightFormatOptions) => weightFormats(options, packed, saved);

    it('are those, unasked or asked for', () => {
      const same: WeightFormatOptions[] = [
        {},
        { dtype: 'auto', headDtype: 'auto' },
        { dtype: 'int4' },
        { dtype: 'int4', groupSize: 64 },
        { dtype: 'int4-g64', headDtype: 'int8-g128' },
        { headDtype: 'int8' },
      ];
      for (const options of same) expect(formats(options)).toEqual(saved);
      expect(formats({ headDtype: 'bf16' })).toEqual({ dtype: 'int4-g64', head: 'bf16' });
      expect(formats({ dtype: 'f32' })).toEqual({ dtype: 'f32', head: 'f32' });
      // A head that was not quantised still can be.
      const plain = weightFormats({ headDtype: 'int4' }, packed, { dtype: 'int4-g64', head: 'f16' });
      expect(plain).toEqual({ dtype: 'int4-g64', head: 'int4-g32' });
      expect(weightFormats({}, packed, { dtype: 'int4-g64', head: 'f32' }).head).toBe('f32');
    });

    it('are refused where others are asked for', () => {
      expect(() => formats({ dtype: 'int8' })).toThrow(
        /^dtype names int8-g128, but the checkpoint was saved in int4-g64;/,
      );
      expect(() => formats({ dtype: 'int4', groupSize: 32 })).toThrow(/^dtype names int4-g32, but/);
      expect(() => formats({ dtype: 'int4', zeroPoints: true })).toThrow(/^dtype names int4-g32-zp, but/);
      expect(() => formats({ headDtype: 'int4' })).toThrow(/^headDtype names int4-g32, but .* saved in int8-g128;/);
    });
  });
});

describe('formats of activations', () => {
  it('are f32 unasked, and int8 beside weights of 8 bits alone', () => {
    expect(activationDtype(undefined, 'int8-g128')).toBe('f32');
    expect(activationDtype('f32', 'int4-g32')).toBe('f32');
    for (const dtype of ['int8-g32', 'int8-g128-zp'] as const) expect(activationDtype('int8', dtype)).toBe('int8');
    for (const dtype of ['f16', 'int4-g32-zp'] as const) {
      expect(() => activationDtype('int8', dtype)).toThrow(
        `activations in int8 need weights in int8, and these are ${dtype}; ask for dtype int8, or leave it out`,
      );
    }
    expect(() => activationDtype('int4' as 'int8', 'int8-g32')).toThrow(/^activations must be one of f32, int8, found/);
  });
});
