import type { Pipeline } from './pipelines.js';

/** One kernel launch whose pipeline and buffers are fixed; only the grid changes from step to step. */
export interface Dispatch {
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
}

/** What was set last, and on which pass: a decode step is so short that every command of it counts. */
let lastPass: GPUComputePassEncoder | undefined;
let lastPipeline: GPUComputePipeline | undefined;

/** Records a launch over a grid of workgroups; an empty grid records nothing. */
export function record(pass: GPUComputePassEncoder, { pipeline, bindGroup }: Dispatch, x: number, y = 1, z = 1): void {
  if (x === 0 || y === 0 || z === 0) return;
  if (pass !== lastPass || pipeline.handle !== lastPipeline) {
    pass.setPipeline(pipeline.handle);
    lastPass = pass;
    lastPipeline = pipeline.handle;
  }
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(x, y, z);
}

/** A pass that also writes down the names of the pipelines set on it. */
export function watchedPass(pass: GPUComputePassEncoder, names: string[]): GPUComputePassEncoder {
  return new Proxy(pass, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (key === 'setPipeline') names.push((args[0] as GPUComputePipeline).label);
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
