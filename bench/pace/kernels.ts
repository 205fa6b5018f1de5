import type { Gpu } from '../../src/gpu/gpu.js';
import { Profiler } from '../../src/gpu/profiler.js';
import { record } from '../../src/gpu/recorder.js';
import { PACE_PARTS, type PacePart } from '../../src/roofline/hardware/pace.js';

/**
 * Fixed kernels, on a device of its own: one for each thing that a step consists of. On a GPU multiply-adds, bytes read
 * from memory, and launches that do nothing, each awaited by the next as a step's are.
 *
 * On a driver that runs on the processor all that is taken away is the cores' time, but what another guest does on them
 * slows one kind of code more than another: so a product of eight rows, which multiplies; one of a single row in f16, which
 * loads and unpacks; and many small ones, which wait for threads to wake. They are timed by the driver's own stamps, since
 * the host looks but once a millisecond whether they are done.
 *
 * How long they take says nothing about a model, only about how much of the machine there is.
 */
const PRODUCT = { launches: 2, columns: 512, outputs: 512, rows: 8 };
const VECTOR = { launches: 2, columns: 512, outputs: 2048, rows: 1 };
const SMALL = { launches: 64, columns: 4, outputs: 128, rows: 1 };
const GPU = { groups: 4096, turns: 16, launches: 16, submissions: 4, readers: 8192, mib: 256 };
const EMPTY = { launches: 32, submissions: 4 };
const MIB = 1 << 20;

/** Milliseconds of each of the kernels that there are, one after the other. */
export type PaceSample = ByPart<number>;
export type ByPart<T> = { readonly compute: T } & { readonly [Part in PacePart]?: T };

/** Fixed kernels: what they are, and how many milliseconds each takes now. */
export interface PaceKernels {
  readonly names: ByPart<string>;
  readonly sample: () => Promise<PaceSample>;
}

type Fill = (pass: GPUComputePassEncoder) => void;

/** Milliseconds until passes are done, by the host's clock, each submitted when the one before is. */
async function submitted(gpu: Gpu, times: number, fill: Fill): Promise<number> {
  const began = performance.now();
  for (let at = 0; at < times; at++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    fill(pass);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
  }
  return performance.now() - began;
}

export async function cpuKernels(gpu: Gpu): Promise<PaceKernels> {
  const kernel = async (
    shader: 'calibrate/calibrate_product.wgsl' | 'calibrate/calibrate_vector.wgsl',
    { launches, columns, outputs, rows }: typeof PRODUCT,
  ): Promise<{ name: string; fill: Fill }> => {
    const pipeline = await gpu.pipelines.get({ shader, bindings: 'urrw', defines: {} });
    const bindGroup = gpu.bindGroup(pipeline, 'pace', [
      gpu.uniform('pace sizes', Uint32Array.of(columns, outputs, 0, 0)),
      gpu.storage('pace weights', 4 * columns * outputs),
      gpu.storage('pace rows', 4 * rows * columns),
      gpu.storage('pace outputs', 4 * rows * outputs),
    ]);
    return {
      name: `product ${launches} x ${rows} x ${columns} x ${outputs}`,
      fill: (pass) => {
        for (let at = 0; at < launches; at++) record(pass, { pipeline, bindGroup }, outputs / 64);
      },
    };
  };
  const kernels = {
    compute: await kernel('calibrate/calibrate_product.wgsl', PRODUCT),
    memory: await kernel('calibrate/calibrate_vector.wgsl', VECTOR),
    launch: await kernel('calibrate/calibrate_vector.wgsl', SMALL),
  };
  const fills = { compute: kernels.compute.fill, memory: kernels.memory.fill, launch: kernels.launch.fill };
  const clocked = () => each((part) => submitted(gpu, 1, fills[part]));
  const stamped = gpu.capabilities.timestamps ? stampedBy(gpu, fills) : undefined;
  // A driver whose stamps stand still is timed from outside.
  const stamps = stamped !== undefined && Object.values(await stamped()).every((ms) => ms > 0);
  const nameOf = (part: PacePart): string => `${kernels[part].name}${stamps ? '' : ' by the clock'}`;
  return {
    names: { compute: nameOf('compute'), memory: nameOf('memory'), launch: nameOf('launch') },
    sample: stamps ? stamped : clocked,
  };
}

/** Times a pass for each part by the driver's stamps, all in one submission. */
function stampedBy(gpu: Gpu, fills: Readonly<Record<PacePart, Fill>>): () => Promise<Record<PacePart, number>> {
  const profiler = new Profiler(gpu, PACE_PARTS.length);
  return async () => {
    const encoder = gpu.device.createCommandEncoder();
    for (const part of PACE_PARTS) {
      const pass = profiler.begin(encoder, part);
      fills[part](pass);
      pass.end();
    }
    profiler.finish(encoder);
    gpu.queue.submit([encoder.finish()]);
    const times = await profiler.read();
    return each((_, at) => Promise.resolve((times[at].endNs - times[at].beginNs) / 1e6));
  };
}

/** A number for each part, one after the other. */
async function each(of: (part: PacePart, at: number) => Promise<number>): Promise<Record<PacePart, number>> {
  const found = { compute: 0, memory: 0, launch: 0 };
  for (const [at, part] of PACE_PARTS.entries()) found[part] = await of(part, at);
  return found;
}

export async function gpuKernels(gpu: Gpu): Promise<PaceKernels> {
  const { groups, turns, launches, submissions, readers, mib } = GPU;
  const sink = gpu.storage('pace sink', 16);
  const fma = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_fma.wgsl',
    bindings: 'uw',
    defines: { half: false, fused: false },
  });
  const fmaGroup = gpu.bindGroup(fma, 'pace', [gpu.uniform('pace turns', Uint32Array.of(turns, 0, 0, 0)), sink]);
  const { maxBindingBytes, maxBufferBytes } = gpu.capabilities;
  const bytes = Math.floor(Math.min(mib * MIB, maxBindingBytes, maxBufferBytes) / 1024) * 1024;
  const read = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_memory.wgsl',
    bindings: 'urw',
    defines: { copies: false, SPAN: 1 },
  });
  const extent = gpu.uniform('pace extent', Uint32Array.of(bytes / 16, readers * 64, 0, 0));
  const readGroup = gpu.bindGroup(read, 'pace', [extent, gpu.storage('pace source', bytes), sink]);
  const empty = await gpu.pipelines.get({ shader: 'calibrate/calibrate_empty.wgsl', bindings: 'w', defines: {} });
  const emptyGroup = gpu.bindGroup(empty, 'pace', [sink]);
  const times = {
    compute: () =>
      submitted(gpu, submissions, (pass) => {
        for (let at = 0; at < launches; at++) record(pass, { pipeline: fma, bindGroup: fmaGroup }, groups);
      }),
    memory: () => submitted(gpu, 1, (pass) => record(pass, { pipeline: read, bindGroup: readGroup }, readers)),
    launch: () =>
      submitted(gpu, EMPTY.submissions, (pass) => {
        for (let at = 0; at < EMPTY.launches; at++) record(pass, { pipeline: empty, bindGroup: emptyGroup }, 1);
      }),
  };
  return {
    names: {
      compute: `fma ${submissions} x ${launches} x ${groups} x ${turns}`,
      memory: `read ${bytes} x ${readers} x 1`,
      launch: `empty ${EMPTY.submissions} x ${EMPTY.launches}`,
    },
    sample: () => each((part) => times[part]()),
  };
}
