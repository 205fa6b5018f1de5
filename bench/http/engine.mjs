// An engine that costs next to nothing: a byte a token, one for each generation a step, a turn of the event loop between
// steps, so that what is measured is the server.

const VOCABULARY = 260;
const EOS = 257;
const TEXT = Buffer.from(' Once upon a time there was a little fox named Fred who lived in a wood.');

export class SteppingEngine {
  config = { maxPositionEmbeddings: 1 << 20, vocabSize: VOCABULARY };
  timings = {};
  hasTokenizer = true;
  hasChatTemplate = true;
  chatTemplate = undefined;
  failure = undefined;
  defaults = {};
  vocabulary = { size: VOCABULARY, bytes: (id) => (id < 256 ? Uint8Array.of(id) : undefined), eosIds: [EOS] };
  info = {
    ...{ adapter: 'none', driver: 'none', tier: 'none', model: 'bytes', dtype: 'f32', kvDtype: 'f32' },
    ...{ contextLength: 1 << 16, kvCacheTokens: 1 << 24, prefillChunk: 512 },
  };
  #running = new Set();

  generate(promptIds, { maxTokens }) {
    let wake;
    let chunks = [];
    let ended = false;
    const ids = [];
    let text = '';
    let settle;
    const result = new Promise((resolve) => (settle = resolve));
    const step = () => {
      const id = TEXT[ids.length % TEXT.length];
      const piece = String.fromCharCode(id);
      ids.push(id);
      text += piece;
      chunks.push({ text: piece, ids: [id] });
      if (ids.length === maxTokens) {
        ended = true;
        this.#running.delete(step);
        const times = { ttftMs: 1, tpotMs: 1, e2eMs: 2, seed: 0, cachedTokens: 0 };
        settle({ text, promptIds, ids, finishReason: 'length', ...times });
      }
      wake?.();
    };
    this.#running.add(step);
    if (this.#running.size === 1) setImmediate(() => this.#steps());
    async function* read() {
      for (;;) {
        const ready = chunks;
        chunks = [];
        yield* ready;
        if (chunks.length > 0) continue;
        if (ended) return;
        await new Promise((resolve) => (wake = resolve));
      }
    }
    return { result, [Symbol.asyncIterator]: read };
  }

  #steps() {
    for (const step of [...this.#running]) step();
    if (this.#running.size > 0) setImmediate(() => this.#steps());
  }

  tokenBytes(id) {
    return id < 256 ? Uint8Array.of(id) : Buffer.from(`<${id}>`);
  }
  chatText(messages) {
    return messages.map(({ role, content }) => `${role}: ${content}\n`).join('');
  }
  chatTextAside(messages) {
    return Promise.resolve(this.chatText(messages));
  }
  tokenize(text) {
    return [...Buffer.from(text)];
  }
  tokenizeInSlices(text) {
    return Promise.resolve(this.tokenize(text));
  }
  detokenize(ids) {
    return Buffer.from(ids.filter((id) => id < 256)).toString();
  }
  stats() {
    const none = { waiting: 0, kvBlocks: 1, kvBlocksFree: 1, preemptions: 0, prefixQueriedTokens: 0, steps: 0 };
    return { ...none, prefixHitTokens: 0, speculatedTokens: 0, acceptedTokens: 0, running: this.#running.size };
  }
}
