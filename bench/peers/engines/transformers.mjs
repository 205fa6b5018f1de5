// transformers.js on ONNX Runtime: its WebGPU provider, or the CPU where that cannot be had.
import { basename, dirname } from 'node:path';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';

/** Hands on each token as the generation loop gives it out. The first call brings the prompt. */
class TokenQueue {
  #tokens = [];
  #wake = () => undefined;
  #prompt = true;

  put([ids]) {
    if (!this.#prompt) this.push(ids.map(Number));
    this.#prompt = false;
  }

  end() {
    this.push(undefined);
  }

  push(item) {
    this.#tokens.push(item);
    this.#wake();
  }

  async next() {
    if (this.#tokens.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    return this.#tokens.shift();
  }
}

/** @type {import('./engine.js').OpenEngine} */
export async function open({ onnx, onnxDevice: device }) {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(onnx);
  const model = await AutoModelForCausalLM.from_pretrained(basename(onnx), {
    device,
    dtype: 'fp16',
    use_external_data_format: true,
    local_files_only: true,
  });
  return {
    info: {
      adapter: device === 'cpu' ? 'CPU' : 'chosen by ONNX Runtime',
      backend: `ONNX Runtime, ${device} provider`,
      kvCache: 'f16',
    },
    async *generate(promptIds, tokens) {
      const input_ids = new Tensor('int64', BigInt64Array.from(promptIds, BigInt), [1, promptIds.length]);
      const attention_mask = new Tensor('int64', new BigInt64Array(promptIds.length).fill(1n), [1, promptIds.length]);
      const queue = new TokenQueue();
      // min_new_tokens is not used: it would forbid the end of sequence, where the others go on past it.
      const done = model.generate({
        input_ids,
        attention_mask,
        max_new_tokens: tokens,
        do_sample: false,
        eos_token_id: null,
        streamer: queue,
      });
      done.catch((error) => queue.push(Promise.reject(error)));
      for (let ids = await queue.next(); ids !== undefined; ids = await queue.next()) yield await ids;
      await done;
    },
  };
}
