import { RidgepointError } from '../errors.js';
import { option, words, type Wording } from '../wording.js';
import { readCapabilities, wantedFeatures, wantedLimits, type Capabilities, type Withheld } from './capabilities.js';
import { masked } from './masks.js';
import { PipelineCache, type Pipeline } from './pipelines.js';
import { shaderText, type ShaderReader } from './shader-source.js';

/** What a platform hands over: an adapter it chose. */
export interface GpuSource extends Withheld {
  readonly adapter: GPUAdapter;
  /** The adapter's name as shown to users. */
  readonly name: string;
  readonly driver: string;
  readonly languageFeatures: ReadonlySet<string>;
  /** In place of the package's own texts. */
  readonly readShader?: ShaderReader;
}

/** A part of a buffer, as a binding takes it. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset?: number;
  readonly size?: number;
}

/** A buffer that was asked for, and whether the device had the memory. */
interface Asked {
  readonly size: number;
  readonly given: Promise<boolean>;
}

const MIB = 1024 * 1024;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

const smaller = (): Wording => words`use a smaller ${option('contextLength')}, model or ${option('dtype')}`;

/** An open device with its capabilities, pipelines and the account of its memory. */
export class Gpu {
  #capabilities: Capabilities;
  readonly pipelines: PipelineCache;
  readonly queue: GPUQueue;
  readonly #buffers = new Set<GPUBuffer>();
  #allocated = 0;
  /** Of each allocation that is being checked, what it has asked for. */
  readonly #checked = new Set<Asked[]>();
  #lost: RidgepointError | undefined;
  #disposed = false;
  #onLost: ((error: RidgepointError) => void)[] = [];
  /** The first validation or memory error nobody scoped: a fault of ours, shown at the next check. */
  #fault: RidgepointError | undefined;

  private constructor(
    readonly device: GPUDevice,
    readonly name: string,
    readonly driver: string,
    source: GpuSource,
  ) {
    this.queue = device.queue;
    this.#capabilities = readCapabilities(source.adapter, source.languageFeatures, source);
    this.pipelines = new PipelineCache(device, source.readShader ?? shaderText);
    void device.lost.then((info) => {
      if (this.#disposed) return;
      this.#lost = new RidgepointError(
        'device',
        `the GPU device was lost (${info.message || info.reason}); load the engine again, with a smaller model or context if this repeats`,
      );
      for (const notify of this.#onLost) notify(this.#lost);
    });
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event;
      const outOfMemory = typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError;
      this.#fault ??= outOfMemory
        ? this.#outOfMemory(`something (${error.message})`)
        : new RidgepointError('internal', `GPU error: ${error.message}`);
    });
  }

  /** @throws RidgepointError when the adapter gives no device */
  static async open(source: GpuSource): Promise<Gpu> {
    let device: GPUDevice;
    try {
      device = await source.adapter.requestDevice({
        label: 'ridgepoint',
        requiredFeatures: wantedFeatures(source.adapter, source),
        requiredLimits: wantedLimits(source.adapter),
      });
    } catch (cause) {
      throw new RidgepointError(
        'adapter',
        words`adapter ${source.name} gives no device: ${(cause as Error).message}; choose another with ${option('adapter')}`,
        { cause },
      );
    }
    return new Gpu(device, source.name, source.driver, source);
  }

  /** What kernels choose by. */
  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Takes away what the driver turned out not to do right; for kernels that are chosen from now on. */
  withhold({ disabled = [], excluded = [] }: Withheld): void {
    const without = masked(this.#capabilities, disabled);
    this.#capabilities = { ...without, excluded: [...new Set([...without.excluded, ...excluded])] };
  }

  /** Bytes of all live buffers. */
  get allocatedBytes(): number {
    return this.#allocated;
  }

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** How the device was lost, if it was. */
  get failure(): RidgepointError | undefined {
    return this.#lost;
  }

  /** Called once if the device is lost while in use. */
  onLost(notify: (error: RidgepointError) => void): void {
    if (this.#lost !== undefined) notify(this.#lost);
    else this.#onLost.push(notify);
  }

  /** @throws RidgepointError if the device was lost or an operation failed since the last call */
  check(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#fault !== undefined) {
      const fault = this.#fault;
      this.#fault = undefined;
      throw fault;
    }
  }

  /** A zero-initialised buffer; its size is rounded up to 16 bytes. Allocation errors surface in `checkedAllocation`. */
  buffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#make(label, bytes, usage, false);
  }

  /** A buffer for uploads, mapped for the host to write to; its size is rounded up to 16 bytes. */
  mappedBuffer(label: string, bytes: number): GPUBuffer {
    return this.#make(label, bytes, GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC, true);
  }

  #make(label: string, bytes: number, usage: GPUBufferUsageFlags, mappedAtCreation: boolean): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (size > this.capabilities.maxBufferBytes) {
      throw new RidgepointError(
        'memory',
        `${label} needs a buffer of ${mib(size)}, but ${this.name} allows ${mib(this.capabilities.maxBufferBytes)}`,
      );
    }
    const buffer = this.#create({ label, size, usage, mappedAtCreation });
    this.#buffers.add(buffer);
    this.#allocated += size;
    return buffer;
  }

  #create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const { label = '', size, mappedAtCreation } = descriptor;
    if (this.#checked.size > 0) this.device.pushErrorScope('out-of-memory');
    try {
      return this.device.createBuffer(descriptor);
    } catch (cause) {
      // Memory that the host writes to is there at once, or not at all.
      if (!mappedAtCreation || !(cause instanceof RangeError)) throw cause;
      throw this.#outOfMemory(`${label} of ${mib(size)}`, { cause });
    } finally {
      if (this.#checked.size > 0) {
        // A lost device is told of elsewhere.
        const given = this.device.popErrorScope().then(
          (error) => error === null,
          () => true,
        );
        for (const asked of this.#checked) asked.push({ size, given });
      }
    }
  }

  #outOfMemory(what: string, details: ErrorOptions = {}, advice: string | Wording = smaller()): RidgepointError {
    const inUse = words`${what} beside the ${mib(this.#allocated)} in use on ${this.name}`;
    return new RidgepointError('memory', words`out of GPU memory: ${inUse}; ${advice}`, details);
  }

  /** Storage that kernels read and write, and that copies may fill or read. */
  storage(label: string, bytes: number): GPUBuffer {
    return this.buffer(label, bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
  }

  /** A uniform buffer holding `words`, written once. */
  uniform(label: string, words: ArrayBuffer | ArrayBufferView<ArrayBuffer>): GPUBuffer {
    const bytes = words.byteLength;
    const buffer = this.buffer(label, bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  free(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.#allocated -= buffer.size;
    buffer.destroy();
  }

  /** Runs `body`, then frees every buffer made meanwhile. Nothing else may allocate at the same time. */
  async scoped<T>(body: () => Promise<T>): Promise<T> {
    const before = new Set(this.#buffers);
    try {
      return await body();
    } finally {
      for (const buffer of this.#buffers) if (!before.has(buffer)) this.free(buffer);
    }
  }

  bindGroup(pipeline: Pipeline, label: string, ranges: readonly (GPUBuffer | BufferRange)[]): GPUBindGroup {
    return this.device.createBindGroup({
      label,
      layout: pipeline.layout,
      entries: ranges.map((range, binding) => ({
        binding,
        resource: 'buffer' in range ? { ...range } : { buffer: range },
      })),
    });
  }

  /**
   * Runs `allocate` so that a failed allocation inside it becomes an error that says how much was asked for.
   *
   * @param what what is being allocated, for the message
   * @param advice what to do, by the bytes that the device had in all
   */
  async checkedAllocation<T>(
    what: string,
    allocate: () => T | Promise<T>,
    advice: (had: number) => string | Wording = smaller,
  ): Promise<T> {
    const before = this.#allocated;
    const asked: Asked[] = [];
    this.#checked.add(asked);
    let result: T;
    try {
      result = await allocate();
    } finally {
      this.#checked.delete(asked);
      const given = await Promise.all(asked.map((each) => each.given));
      if (given.includes(false)) {
        const bytes = asked.reduce((sum, { size }) => sum + size, 0);
        const had = asked.reduce((sum, { size }, i) => sum + (given[i] ? size : 0), 0);
        const inUse = `beside the ${mib(before)} in use on ${this.name}, which had ${mib(had)} of them`;
        throw new RidgepointError(
          'memory',
          words`out of GPU memory: ${what} asked for ${mib(bytes)} ${inUse}; ${advice(before + had)}`,
        );
      }
    }
    return result;
  }

  /** Copies a buffer's bytes to the host. For tests and tools; the step loop has its own ring. */
  async read(buffer: GPUBuffer, offset = 0, bytes = buffer.size - offset): Promise<ArrayBuffer> {
    const staging = this.device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
      this.check();
    }
  }

  /** Frees every buffer and closes the device; safe to call twice. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers.clear();
    this.#allocated = 0;
    this.device.destroy();
    await this.device.lost;
  }
}
