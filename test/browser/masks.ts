/** What a test makes of the browser's adapter. */
export interface AdapterMask {
  /** `none`: no features and the limits of the specification. */
  readonly features?: 'none';
  readonly nameless?: boolean;
  /** Completions are noticed at the next turn of such a clock, or when something is submitted. */
  readonly pollMs?: number;
  /** Every request for an adapter is answered with none; `asked` counts them. */
  readonly none?: boolean;
  /** No WebGPU at all. */
  readonly absent?: boolean;
}

/** Runs in the page, before anything else does. */
export function maskAdapter({ features, nameless, pollMs, absent, none }: AdapterMask): void {
  if (absent) {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
    delete (Object.getPrototypeOf(navigator) as { gpu?: unknown }).gpu;
    return;
  }
  if (none) {
    const asked = window as unknown as { asked: number };
    asked.asked = 0;
    navigator.gpu.requestAdapter = () => {
      asked.asked++;
      return Promise.resolve(null);
    };
    return;
  }
  const counted = window as unknown as { empties: number };
  counted.empties = 0;
  const defaults: Record<string, number> = {
    maxBufferSize: 268435456,
    maxStorageBufferBindingSize: 134217728,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupsPerDimension: 65535,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  };
  const polled = (device: GPUDevice, every: number): GPUDevice => {
    const { queue } = device;
    let noticed: (() => void)[] = [];
    const notice = (): void => noticed.splice(0).forEach((resolve) => resolve());
    setInterval(notice, every);
    const later = async <T>(work: Promise<T>): Promise<T> => {
      const value = await work;
      await new Promise<void>((resolve) => (noticed = [...noticed, resolve]));
      return value;
    };
    const done = queue.onSubmittedWorkDone.bind(queue);
    queue.onSubmittedWorkDone = () => later(done());
    const submit = queue.submit.bind(queue);
    queue.submit = (buffers) => {
      const empty = [...buffers].length === 0;
      if (empty) counted.empties++;
      submit(buffers);
      // What was submitted before is looked at then, as far as it is done.
      notice();
    };
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      const map = buffer.mapAsync.bind(buffer);
      buffer.mapAsync = (...range) => later(map(...range));
      return buffer;
    };
    return device;
  };
  const { gpu } = navigator;
  const request = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await request(options);
    if (adapter === null) return null;
    const { info } = adapter;
    const hidden = { vendor: '', architecture: '', device: '', description: '' };
    return {
      info: nameless ? { ...hidden, isFallbackAdapter: true, subgroupMinSize: 4, subgroupMaxSize: 4 } : info,
      features: features === 'none' ? new Set() : adapter.features,
      limits: features === 'none' ? defaults : adapter.limits,
      requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
        const device = await adapter.requestDevice(descriptor);
        return pollMs === undefined ? device : polled(device, pollMs);
      },
    } as unknown as GPUAdapter;
  };
}
