import type { Pipeline } from './pipelines.js';

/** One kernel launch whose pipeline and buffers are fixed; only the grid changes from step to step. */
export interface Dispatch {
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
}

/** Records a launch over a grid of workgroups; an empty grid records nothing. */
export function record(
  pass: GPUComputePassEncoder,
  pipeline: Pipeline,
  bindGroup: GPUBindGroup,
  x: number,
  y = 1,
  z = 1,
): void {
  if (x === 0 || y === 0 || z === 0) return;
  pass.setPipeline(pipeline.handle);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(x, y, z);
}

/** Records a prepared launch. */
export function recordDispatch(pass: GPUComputePassEncoder, dispatch: Dispatch, x: number, y = 1, z = 1): void {
  record(pass, dispatch.pipeline, dispatch.bindGroup, x, y, z);
}
