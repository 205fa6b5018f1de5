/** Where an engine finds the model, and how it shall run it. */
export interface EngineSettings {
  /** Root of a built Ridgepoint. */
  readonly project: string;
  /** Folder with `config.json` and safetensors. */
  readonly checkpoint: string;
  readonly gguf: string;
  /** Folder as transformers.js wants it. */
  readonly onnx: string;
  /** Execution provider of ONNX Runtime. */
  readonly onnxDevice: 'webgpu' | 'cpu';
  /** Part of the adapter's name. */
  readonly adapter: string | undefined;
  /** Longest sequence, in tokens. */
  readonly contextLength: number;
  /** Most prompt tokens in one pass. */
  readonly prefillChunk: number;
}

export interface PeerEngine {
  /** What ran: at least the adapter and the backend, in words. */
  readonly info: { readonly adapter: string; readonly backend: string; readonly kvCache: string };
  /** Greedy tokens as they arrive, from an empty cache, past any end of sequence. */
  generate(promptIds: readonly number[], tokens: number): AsyncGenerator<number[]>;
}

export type OpenEngine = (settings: EngineSettings) => Promise<PeerEngine>;
