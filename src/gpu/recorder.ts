import type { Pipeline } from './pipelines.js';

/** One kernel launch whose pipeline and buffers are fixed; only the grid changes from step to step. */
export interface Dispatch {
  /** The operation it belongs to, as the operation list names it. */
  readonly operation: string;
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
}

/** Records `dispatch` into `pass` over a grid of workgroups; an empty grid records nothing. */
export function record(pass: GPUComputePassEncoder, dispatch: Dispatch, x: number, y = 1, z = 1): void {
  if (x === 0 || y === 0 || z === 0) return;
  pass.setPipeline(dispatch.pipeline.handle);
  pass.setBindGroup(0, dispatch.bindGroup);
  pass.dispatchWorkgroups(x, y, z);
}
