import type { Embeddings } from '../../engine/api.js';

/** Digits with which every f32 is told from its neighbours. */
const DIGITS = 9;

function* numbers(vector: Float32Array): Generator<number> {
  for (const value of vector) yield Number(value.toPrecision(DIGITS));
}

/** The numbers as little-endian f32, whatever the machine's own order. */
function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  vector.forEach((value, at) => bytes.setFloat32(at * 4, value, true));
  let binary = '';
  for (let at = 0; at < bytes.byteLength; at++) binary += String.fromCharCode(bytes.getUint8(at));
  return btoa(binary);
}

/** A list of embeddings in OpenAI's words; its items are made while it is written. */
export function embeddingAnswer({ vectors, tokens }: Embeddings, model: string, format: 'float' | 'base64'): object {
  const count = tokens.reduce((sum, each) => sum + each, 0);
  function* data(): Generator<object> {
    for (const [index, vector] of vectors.entries()) {
      yield { object: 'embedding', index, embedding: format === 'base64' ? base64(vector) : numbers(vector) };
    }
  }
  return { object: 'list', data: data(), model, usage: { prompt_tokens: count, total_tokens: count } };
}
