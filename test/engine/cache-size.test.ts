import { describe, expect, it } from 'vitest';
import { cacheSize, type CacheRoom } from '../../src/engine/sizes.js';
import { parseConfig } from '../../src/model/config.js';

const GIB = 2 ** 30;
/** Llama-2-7B: half a MiB a token in f16. */
const config = parseConfig(
  {
    architectures: ['LlamaForCausalLM'],
    hidden_size: 4096,
    intermediate_size: 11008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    vocab_size: 32000,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
  },
  'test',
);
const size = (room: CacheRoom, sequences = 8, most = 1 << 24, asked = {}) =>
  cacheSize(asked, config, { contextLength: 4096, sequences }, room, () => most);

describe('a KV cache nobody gave a size', () => {
  it('has room for every sequence on a card of 80 or 141 GB', () => {
    const H100 = { left: 66 * GIB, by: 'nvidia-smi', shared: false };
    expect(size(H100)).toEqual({ kvTokens: 8 * 4096, kvDtype: 'f16', choice: 'room for 8 sequences of 4096' });
    expect(size({ ...H100, left: 126 * GIB }, 30).choice).toBe('room for 30 sequences of 4096');
  });

  it('takes half of what is left where that is less, and says who told', () => {
    expect(size({ left: 66 * GIB, by: 'nvidia-smi', shared: false }, 32)).toMatchObject({
      kvTokens: 66 * 1024,
      choice: 'half of the 66.0 GiB that nvidia-smi says are left beside the model',
    });
  });

  it('is modest where nobody knows the memory, or the system shares it', () => {
    expect(size({ left: undefined, shared: false }, 8)).toMatchObject({
      kvTokens: 4096,
      choice: 'room for one sequence of 4096, more than 1.0 GiB, as nobody says how much memory this GPU has free',
    });
    const small = cacheSize(
      {},
      config,
      { contextLength: 512, sequences: 8 },
      { left: 99 * GIB, shared: true },
      () => 1e9,
    );
    expect(small).toMatchObject({ kvTokens: 2048, choice: '1.0 GiB, as the memory is also the system’s' });
  });

  it('holds one context even where little is left, and no more than is bound', () => {
    expect(size({ left: GIB, by: 'nvidia-smi', shared: false }).kvTokens).toBe(4096);
    expect(size({ left: 126 * GIB, by: 'nvidia-smi', shared: false }, 8, 10_000)).toMatchObject({
      kvTokens: 10_000,
      choice: 'the most that the adapter binds',
    });
  });

  it('is as asked where somebody did', () => {
    const room = { left: undefined, shared: false };
    expect(size(room, 8, 1 << 24, { kvCacheTokens: 77 })).toMatchObject({ kvTokens: 77, choice: 'as asked' });
    expect(size(room, 8, 1 << 24, { kvCacheBytes: GIB })).toMatchObject({ kvTokens: 2048, choice: 'as asked' });
  });
});
