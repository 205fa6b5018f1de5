/** A GPU's memory as a test has it run short. */
export interface ShortMemory {
  /** Bytes of all buffers together; what goes beyond is out of memory. */
  bytes: number;
  /** Buffers whose label begins so are out of memory in any case. */
  label?: string;
}

/** What became of it. */
export interface Memory extends ShortMemory {
  /** Bytes of buffers that live. */
  live: number;
  /** Buffers that were not given. */
  refused: number;
}

/** Runs in the page, before anything else does: `memory` of the window says how much there is, and may be changed. */
export function shortenMemory(memory: ShortMemory): void {
  const state: Memory = { ...memory, live: 0, refused: 0 };
  Object.assign(window, { memory: state });
  const { requestDevice } = GPUAdapter.prototype as {
    requestDevice: (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;
  };
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
    const create = device.createBuffer.bind(device);
    const scopes: { readonly filter: GPUErrorFilter; error: GPUError | null }[] = [];
    device.pushErrorScope = (filter) => {
      scopes.push({ filter, error: null });
      push(filter);
    };
    device.popErrorScope = async () => {
      const scope = scopes.pop();
      const error = await pop();
      return scope?.error ?? error;
    };
    const refuse = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      state.refused++;
      if (descriptor.mappedAtCreation) throw new RangeError('no memory for the host to write to');
      const error = new GPUOutOfMemoryError('no more memory');
      const scope = scopes.findLast(({ filter }) => filter === 'out-of-memory');
      if (scope === undefined) device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
      else scope.error ??= error;
      // What is given in place of one that is out of memory is of no use either.
      push('validation');
      const invalid = create({ ...descriptor, usage: 0 });
      void pop();
      return invalid;
    };
    device.createBuffer = (descriptor) => {
      const { size, label = '' } = descriptor;
      if (state.live + size > state.bytes || (state.label !== undefined && label.startsWith(state.label)))
        return refuse(descriptor);
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      state.live += size;
      let lives = true;
      buffer.destroy = () => {
        if (lives) state.live -= size;
        lives = false;
        return destroy();
      };
      return buffer;
    };
    return device;
  };
}
