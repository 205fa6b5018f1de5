/**
 * Rounds what timestamp queries give as stable Chrome does, which the flag that brings SwiftShader switches off: the last
 * 16 bits of nanoseconds are dropped, by a launch of its own behind each resolving. Runs in a worker before all else.
 */
export function roundTimestamps(): void {
  const [QUERY_RESOLVE, STORAGE] = [0x200, 0x80];
  const code = `@group(0) @binding(0) var<storage, read_write> times: array<vec2u>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { times[id.x].x &= 0xffff0000u; }`;
  const devices = new WeakMap<GPUCommandEncoder, GPUDevice>();
  const pipelines = new WeakMap<GPUDevice, GPUComputePipeline>();
  const device = GPUDevice.prototype;
  const { createBuffer, createCommandEncoder } = device as {
    createBuffer: (this: GPUDevice, descriptor: GPUBufferDescriptor) => GPUBuffer;
    createCommandEncoder: (this: GPUDevice, descriptor?: GPUCommandEncoderDescriptor) => GPUCommandEncoder;
  };
  device.createBuffer = function (descriptor) {
    const { usage } = descriptor;
    return createBuffer.call(this, usage & QUERY_RESOLVE ? { ...descriptor, usage: usage | STORAGE } : descriptor);
  };
  device.createCommandEncoder = function (descriptor) {
    const encoder = createCommandEncoder.call(this, descriptor);
    devices.set(encoder, this);
    return encoder;
  };
  const { resolveQuerySet } = GPUCommandEncoder.prototype as {
    resolveQuerySet: (
      this: GPUCommandEncoder,
      ...given: [GPUQuerySet, GPUSize32, GPUSize32, GPUBuffer, GPUSize64]
    ) => undefined;
  };
  GPUCommandEncoder.prototype.resolveQuerySet = function (set, first, count, buffer, offset) {
    resolveQuerySet.call(this, set, first, count, buffer, offset);
    const owner = devices.get(this)!;
    let pipeline = pipelines.get(owner);
    if (pipeline === undefined) {
      pipeline = owner.createComputePipeline({
        layout: 'auto',
        compute: { module: owner.createShaderModule({ code }) },
      });
      pipelines.set(owner, pipeline);
    }
    const entries = [{ binding: 0, resource: { buffer, offset, size: 8 * count } }];
    const pass = this.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, owner.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(count);
    pass.end();
  };
}
