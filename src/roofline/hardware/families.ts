/** How far a family of kernels gets towards the ceilings, and what a launch of it costs beyond them. */
export interface Efficiency {
  /** Share of the compute roof reached when compute binds; above 1 where matrix units pass a roof of shader code. */
  readonly compute: number;
  /** Share of the memory bandwidth reached when memory binds; above 1 where a cache serves what was counted as memory. */
  readonly bandwidth: number;
  /** Seconds a launch takes beside its work. */
  readonly launchSeconds: number;
  /** Exponent p of the overlap t = (tc^p + tm^p)^(1/p); infinite overlap is the plain maximum. */
  readonly overlap: number;
  /**
   * FLOPs that an output of a product costs beside its sum: beginning, adding up, scaling and writing, which tell where
   * sums are short. None where absent.
   */
  readonly outputFlops?: number;
}

/** Families of kernels that share an efficiency. */
export const KERNEL_FAMILIES = [
  'matmul-few', // decode: GEMV and skinny GEMM
  'matmul-many', // prefill: GEMM
  'attention-decode',
  'attention-prefill',
  'elementwise', // norms, rope, embedding
  'sample',
] as const;

export type KernelFamily = (typeof KERNEL_FAMILIES)[number];

/** Ways in which steps follow one another, each with costs of its own beside those of its operations. */
export const STEP_KINDS = [
  'first', // a request's prefill, until its first token is on the host
  'next', // decode steps of running requests, the next submitted before the last is read
  'alone', // single steps, each awaited before the next, without sampling, as llama-bench measures
] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/**
 * What a step takes on the host's clock, beside the GPU time of its operations:
 * stretch x operations + seconds + rowSeconds x rows that get a token.
 */
export interface StepCosts {
  /** 1 where the GPU runs undisturbed; more where host and driver share cores. */
  readonly stretch: number;
  /** Scheduling, recording, submitting and readback, as far as the GPU waits for it. */
  readonly seconds: number;
  /** Detokenising and handing out a token. */
  readonly rowSeconds: number;
}

/** Kinds of steps of an engine that serves: rows of decoding sequences alone, or prompts with or without such rows. */
export const SERVING_KINDS = ['decode', 'prompts'] as const;
export type ServingKind = (typeof SERVING_KINDS)[number];

/** What steps take while requests come and go, in place of the costs of an idle engine's. */
export interface ServingCosts extends StepCosts {
  /**
   * How steps scatter about that: quantiles of measured over fitted time at the shares of `SPREAD_SHARES`, in ascending
   * order. A mean has no p99.
   */
  readonly spread: readonly number[];
}
export type Serving = Readonly<Partial<Record<ServingKind, ServingCosts>>>;

/** Finer towards the upper end, where the waits are that users notice. */
export const SPREAD_SHARES = [
  0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1,
] as const;
