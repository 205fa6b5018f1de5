/** A whole Llama in float64, for comparing logits and greedy tokens. */
import type { ModelConfig } from '../../src/model/config.js';
import { add, addBias, argmax, attention, matmul, rmsNorm, rope, ropeFrequencies, siluGate } from './ops.js';

/** Rows that grow at the end: the keys or the values of one layer, [tokens, kvHeads * headDim]. */
class Rows {
  #data = new Float64Array(0);
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
  }

  /** Puts rows [m, width] at row `start`, forgets all behind them, and returns everything up to there. */
  write(rows: Float64Array, start: number): Float64Array {
    const end = start * this.#width + rows.length;
    if (end > this.#data.length) {
      const grown = new Float64Array(Math.max(end, 2 * this.#data.length));
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(rows, start * this.#width);
    return this.#data.subarray(0, end);
  }
}

export class ReferenceLlama {
  readonly #frequencies: Float64Array;
  readonly #keys: Rows[];
  readonly #values: Rows[];
  #cached = 0;
  readonly #weights: Readonly<Record<string, Float64Array>>;

  /**
   * @param weights tensors under their Hugging Face names; with tied embeddings either of
   *   `model.embed_tokens.weight` and `lm_head.weight` serves for both
   */
  constructor(
    readonly config: ModelConfig,
    weights: Readonly<Record<string, Float64Array>>,
  ) {
    this.#weights = weights;
    const width = config.kvHeads * config.headDim;
    this.#frequencies = ropeFrequencies(config);
    this.#keys = Array.from({ length: config.layers }, () => new Rows(width));
    this.#values = Array.from({ length: config.layers }, () => new Rows(width));
  }

  #weight(name: string, tied?: string): Float64Array {
    const found =
      this.#weights[name] ?? (tied !== undefined && this.config.tiedEmbeddings ? this.#weights[tied] : undefined);
    if (found === undefined) throw new Error(`reference: the weights lack ${name}`);
    return found;
  }

  /**
   * Runs tokens at positions start.. over what earlier calls left in the KV cache below `start`.
   * @returns the residual stream after the last layer, before the final norm, [ids, hidden]
   */
  hidden(ids: readonly number[], start = 0): Float64Array {
    if (start > this.#cached) throw new RangeError(`reference: position ${this.#cached} was never run`);
    this.#cached = start + ids.length;
    const { layers, hidden, heads, kvHeads, headDim, intermediate, rmsNormEps, windowed } = this.config;
    const m = ids.length;
    const positions = ids.map((_, row) => start + row);
    const embedding = this.#weight('model.embed_tokens.weight', 'lm_head.weight');
    let x: Float64Array = new Float64Array(m * hidden);
    ids.forEach((id, row) => x.set(embedding.subarray(id * hidden, (id + 1) * hidden), row * hidden));

    for (let layer = 0; layer < layers; layer++) {
      const w = (name: string): Float64Array => this.#weight(`model.layers.${layer}.${name}.weight`);
      const project = (input: Float64Array, name: string, n: number): Float64Array =>
        matmul(input, w(name), m, n, input.length / m);

      const a = rmsNorm(x, w('input_layernorm'), rmsNormEps);
      // Qwen2 adds biases to queries, keys and values; Qwen3 norms each head of queries and keys.
      const biased = (name: string, n: number): Float64Array => {
        const bias = this.#weights[`model.layers.${layer}.self_attn.${name}_proj.bias`];
        const out = project(a, `self_attn.${name}_proj`, n);
        return bias === undefined ? out : addBias(out, bias);
      };
      const normed = (rows: Float64Array, name: string): Float64Array => {
        const gamma = this.#weights[`model.layers.${layer}.self_attn.${name}_norm.weight`];
        return gamma === undefined ? rows : rmsNorm(rows, gamma, rmsNormEps);
      };
      const q = rope(normed(biased('q', heads * headDim), 'q'), positions, this.#frequencies);
      const k = rope(normed(biased('k', kvHeads * headDim), 'k'), positions, this.#frequencies);
      const v = biased('v', kvHeads * headDim);
      const keys = this.#keys[layer].write(k, start);
      const values = this.#values[layer].write(v, start);
      const window = (windowed?.[layer] ?? true) ? this.config.window : undefined;
      const mixed = attention(q, keys, values, positions, this.config, window);
      x = add(x, project(mixed, 'self_attn.o_proj', hidden));

      const b = rmsNorm(x, w('post_attention_layernorm'), rmsNormEps);
      const gated = siluGate(project(b, 'mlp.gate_proj', intermediate), project(b, 'mlp.up_proj', intermediate));
      x = add(x, project(gated, 'mlp.down_proj', hidden));
    }
    return x;
  }

  /** Final norm and lm_head of residual rows [m, hidden] -> m rows of logits [vocab]. */
  logits(rows: Float64Array): Float64Array[] {
    const { hidden, vocab, rmsNormEps } = this.config;
    const m = rows.length / hidden;
    const normed = rmsNorm(rows, this.#weight('model.norm.weight'), rmsNormEps);
    const head = this.#weight('lm_head.weight', 'model.embed_tokens.weight');
    const flat = matmul(normed, head, m, vocab, hidden);
    return Array.from({ length: m }, (_, row) => flat.slice(row * vocab, (row + 1) * vocab));
  }

  /** Logits [vocab] of every token, at positions start..; `start` must not exceed what earlier calls have run. */
  forward(ids: readonly number[], start = 0): Float64Array[] {
    return this.logits(this.hidden(ids, start));
  }

  /** The `n` most likely tokens after the prompt, one after the other, past end-of-sequence ids. */
  greedy(promptIds: readonly number[], n: number): number[] {
    const generated: number[] = [];
    let next = promptIds;
    let position = 0;
    while (generated.length < n) {
      const rows = this.hidden(next, position);
      position += next.length;
      const id = argmax(this.logits(rows.slice(-this.config.hidden))[0]);
      generated.push(id);
      next = [id];
    }
    return generated;
  }
}
