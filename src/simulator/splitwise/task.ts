import type { SimulatedRequest } from '../request.js';
import type { SplitwiseMachine } from './machine.js';

/** Half of a request: its prompt with the first token, or the tokens after it. */
export class Task {
  state: 'waiting' | 'running' | 'blocked' = 'waiting';
  /** Iterations that began without it while it was its request's turn; theirs calls them preemptions. */
  passedOver = 0;
  generated = 0;
  /** Its place in the batch is taken. */
  inBatch = false;
  /** Where it runs, once that is chosen. */
  machine: SplitwiseMachine | undefined;

  constructor(
    readonly life: TaskLife,
    readonly kind: 'prompt' | 'token',
    /** Tokens of a batch that it takes up: a prompt is never cut. */
    readonly batchTokens: number,
    /** Tokens it makes. */
    readonly makes: number,
    /** Bytes of keys and values that its machine sets aside when it begins. */
    readonly bytes: number,
  ) {}
}

/** A request on its way. Times are seconds since the beginning, NaN before. */
export class TaskLife {
  readonly prompt: Task;
  readonly token: Task;
  /** Bytes it holds on a machine. */
  bytes = 0;
  promptStart = NaN;
  promptEnd = NaN;
  tokenStart = NaN;
  end = NaN;

  constructor(
    readonly request: SimulatedRequest,
    bytesPerToken: number,
  ) {
    const { promptTokens, outputTokens } = request;
    this.prompt = new Task(this, 'prompt', promptTokens, 1, (promptTokens + 1) * bytesPerToken);
    this.token = new Task(this, 'token', 1, outputTokens - 1, (outputTokens - 1) * bytesPerToken);
  }
}
