/** A launch as it was recorded: which operation's, which kernel, how many workgroups. */
export interface RecordedLaunch {
  readonly operation: string;
  readonly pipeline: string;
  readonly grid: readonly [number, number, number];
}

/**
 * The launches of steps that an engine's probe runs, by looking over Dawn's shoulder: passes are labelled with the
 * operation's name where a step is profiled, and pipelines with their own.
 */
export async function recordLaunches(run: () => Promise<unknown>): Promise<RecordedLaunch[]> {
  const launches: RecordedLaunch[] = [];
  let operation = '';
  let pipeline = '';
  const encoder = GPUCommandEncoder.prototype;
  const pass = GPUComputePassEncoder.prototype;
  // Called with the object they were taken from.
  /* eslint-disable @typescript-eslint/unbound-method */
  const kept = [encoder.beginComputePass, pass.setPipeline, pass.dispatchWorkgroups] as const;
  /* eslint-enable @typescript-eslint/unbound-method */
  encoder.beginComputePass = function (this: GPUCommandEncoder, descriptor) {
    operation = descriptor?.label ?? '';
    return kept[0].call(this, descriptor);
  };
  pass.setPipeline = function (this: GPUComputePassEncoder, next) {
    pipeline = next.label;
    return kept[1].call(this, next);
  };
  pass.dispatchWorkgroups = function (this: GPUComputePassEncoder, x, y = 1, z = 1) {
    launches.push({ operation, pipeline, grid: [x, y, z] });
    return kept[2].call(this, x, y, z);
  };
  try {
    await run();
  } finally {
    // eslint-disable-next-line @typescript-eslint/unbound-method
    [encoder.beginComputePass, pass.setPipeline, pass.dispatchWorkgroups] = kept;
  }
  return launches;
}
