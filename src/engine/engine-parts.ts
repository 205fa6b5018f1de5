import type { Gpu } from '../gpu/gpu.js';
import type { ForwardPass } from '../model/forward-pass.js';
import type { ModelPooling } from '../model/pooling.js';
import type { EmbedderParts } from './embedder.js';
import type { EngineHost } from './host.js';
import type { KvTransfer } from './kv-transfer.js';
import type { StepProbe } from './probe.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { StepLoop } from './step-loop.js';
import type { TextParts } from './text-side.js';

/** Rows of a prompt by which its kernels are named; of longer ones they are the same. */
const MANY_ROWS = 512;

/** The kernel variants in use for one row and for many. */
export const kernelsOf = (model: ForwardPass): { decode: string[]; prefill: string[] } => ({
  decode: model.matmulVariants(1, 'decode'),
  prefill: model.matmulVariants(MANY_ROWS, 'prefill'),
});

export interface EngineParts extends TextParts {
  readonly gpu: Gpu;
  readonly host: EngineHost;
  readonly model: ForwardPass;
  readonly loop: StepLoop;
  readonly scheduler: Scheduler;
  /** Undefined where the platform moves none. */
  readonly kv: KvTransfer | undefined;
  /** What is needed where embeddings are asked for. */
  readonly embedding: EmbedderParts;
  /** How hidden states become embeddings; undefined for a model that is not meant for it. */
  readonly pooling: ModelPooling | undefined;
  /** What a user should know of the model's files, a sentence each. */
  readonly notices: readonly string[];
  readonly prefixCaching: boolean;
  readonly speculates: boolean;
  readonly hint: string | undefined;
  readonly driverRemark: string | undefined;
  readonly probeLimits: ConstructorParameters<typeof StepProbe>[2];
}
