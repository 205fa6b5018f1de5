import type { GpuSource } from '../gpu/gpu.js';
import type { ModelSource } from '../model/open.js';
import type { LoadProgress } from './api.js';
import type { ChatWishes } from '../tokenizer/chat.js';
import type { KvTransfer, KvTransferParts } from './kv-transfer.js';
import type { DriverHost } from './drivers/prepare.js';
import type { UnaskedSizes } from './sizes.js';
import type { TuningStore } from '../tuning/autotune.js';

/** Memory an adapter has free, and who says so. */
export interface FreeMemory {
  readonly bytes: number;
  readonly by: string;
}

/** An adapter the platform chose. */
export interface HostGpu extends GpuSource {
  /** The adapter's free memory, where the platform can tell. */
  freeMemory(): Promise<FreeMemory | undefined>;
  /** One line for the user about a better driver, if there is one to be had. */
  readonly hint?: string;
}

/** Weights that are to be fetched. Bytes. */
export interface ComingWeights {
  /** Of all files; undefined where their server does not say. */
  readonly bytes: number | undefined;
  /** Of those, what is not there yet. */
  readonly left: number | undefined;
}

export interface ModelRequest {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
  /** Called when everything but the weights is there, before any weights are downloaded; may throw. */
  readonly judge?: (model: ModelSource, coming?: ComingWeights) => Promise<unknown>;
}

/** A chat template, Jinja source, and what it may write of the tokenizer. */
export interface ChatTemplate {
  readonly template: string;
  /** Where tools are given. */
  readonly toolTemplate?: string;
  readonly bosToken?: string;
  readonly eosToken?: string;
}

/** Renders chats where it keeps nobody waiting. */
export interface AsideRenderer {
  /**
   * @param signal has it given up, where it has not begun
   * @throws RidgepointError as `renderChat`, and ('prompt') where it takes too much time or memory
   */
  render(messages: readonly object[], wishes?: ChatWishes, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** All that the engine needs of the machine it runs on; the only way it reaches files, drivers and the network. */
export interface EngineHost {
  /** @throws RidgepointError when there is no adapter, or none of that name */
  openGpu(adapter: string | undefined): Promise<HostGpu>;
  /** @throws RidgepointError when there is no such model */
  openModel(model: string | undefined, options: ModelRequest): Promise<ModelSource>;
  randomSeed(): number;
  /** Sizes where nobody asks for others, on a platform whose usual ones are smaller. */
  readonly unasked?: UnaskedSizes;
  /** Where the kernels chosen for an adapter are kept; without it the defaults are used. */
  readonly tuning?: TuningStore;
  /** Moves keys and values between engines; absent on a platform that has nothing to move them by. */
  readonly kvTransfer?: (parts: KvTransferParts) => KvTransfer;
  /** What is known of drivers, and how those that nobody knows are tried; without it every driver is trusted. */
  readonly drivers?: DriverHost;
  /**
   * Told before a step is awaited for about how many milliseconds nobody needs to know that it is done, so that the
   * wait can be a cheap one.
   */
  readonly expectGpu?: (ms: number) => void;
  /** Another place for chat templates; without one they are rendered where they are asked for. */
  readonly chatAside?: (template: ChatTemplate) => AsideRenderer | undefined;
}
