import type { Gpu } from '../gpu/gpu.js';
import type { LlamaConfig } from '../model/config.js';
import type { LlamaModel } from '../model/llama.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { ChatMessage, EngineInfo, LoadTimings } from './api.js';
import type { EngineHost } from './host.js';
import type { StepProbe } from './probe.js';
import type { parseGenerationConfig } from './sampling.js';
import type { Scheduler } from './scheduler.js';
import type { StepLoop } from './step-loop.js';

export type GenerationDefaults = ReturnType<typeof parseGenerationConfig>;
export type ChatRenderer = (messages: readonly ChatMessage[]) => string;

export interface EngineParts {
  readonly gpu: Gpu;
  readonly host: EngineHost;
  readonly config: LlamaConfig;
  readonly model: LlamaModel;
  readonly loop: StepLoop;
  readonly scheduler: Scheduler;
  readonly tokenizer: Tokenizer | undefined;
  readonly chatText: ChatRenderer | undefined;
  readonly generationDefaults: GenerationDefaults;
  /** The ids that end a generation. */
  readonly eosIds: readonly number[];
  /** What a user should know of the model's files, a sentence each. */
  readonly notices: readonly string[];
  readonly info: EngineInfo;
  readonly timings: LoadTimings;
  readonly prefixCaching: boolean;
  readonly speculates: boolean;
  readonly hint: string | undefined;
  readonly driverRemark: string | undefined;
  readonly probeLimits: ConstructorParameters<typeof StepProbe>[2];
}
