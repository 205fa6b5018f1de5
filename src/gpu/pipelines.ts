import { RidgepointError } from '../errors.js';
import { composeShader, fetchShader, type Defines, type ShaderReader } from './shader-source.js';

/**
 * How a kernel's buffers are bound, one letter a binding, in order:
 * `u` uniform, `r` read-only storage, `w` read-write storage.
 */
export type BindingSpec = string;

/** A kernel variant: a shader with its conditions and constants. */
export interface PipelineSpec {
  readonly shader: string;
  readonly defines: Defines;
  readonly bindings: BindingSpec;
}

export interface Pipeline {
  readonly name: string;
  readonly handle: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const TYPES: Record<string, GPUBufferBindingType> = { u: 'uniform', r: 'read-only-storage', w: 'storage' };

/** The name of a kernel's shader without its folder: `matmul_vec` of `matmul/matmul_vec.wgsl`. No two have the same. */
export function shaderName({ shader }: Pick<PipelineSpec, 'shader'>): string {
  return shader.replace(/^.*\/|\.wgsl$/g, '');
}

/** A readable name: `matmul_vec(MT=1,R=4,f16,subgroups)`. It is also the cache key. */
export function pipelineName(spec: PipelineSpec): string {
  const parts = Object.entries(spec.defines)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .sort();
  return `${shaderName(spec)}(${parts.join(',')})`;
}

/** Compiles each variant once; callers that ask for one being compiled share it. */
export class PipelineCache {
  readonly #layouts = new Map<BindingSpec, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  #started = 0;
  #finished = 0;
  /** Called whenever a compilation starts or ends. */
  onProgress: ((finished: number, started: number, name: string) => void) | undefined;
  /**
   * While it is set, pipelines are compiled one at a time, and it is told the names of those that are about to be
   * compiled or run, then of none: who writes them down knows what a driver ended the process at.
   */
  trying: ((names: readonly string[]) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #device: GPUDevice;
  readonly #read: ShaderReader;

  constructor(device: GPUDevice, read: ShaderReader) {
    this.#device = device;
    this.#read = read;
  }

  /** @throws RidgepointError with the compiler's messages when the shader does not compile */
  get(spec: PipelineSpec): Promise<Pipeline> {
    const name = pipelineName(spec);
    let pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) {
      this.#started++;
      this.onProgress?.(this.#finished, this.#started, name);
      pipeline = this.#whenItMay(spec, name).then((compiled) => {
        this.#finished++;
        this.onProgress?.(this.#finished, this.#started, name);
        return compiled;
      });
      this.#pipelines.set(name, pipeline);
    }
    return pipeline;
  }

  /** The text of a variant's shader as it is compiled. */
  source({ shader, defines }: Pick<PipelineSpec, 'shader' | 'defines'>): string {
    return composeShader(shader, defines, this.#read);
  }

  layout(bindings: BindingSpec): GPUBindGroupLayout {
    let layout = this.#layouts.get(bindings);
    if (layout === undefined) {
      layout = this.#device.createBindGroupLayout({
        label: `layout ${bindings}`,
        entries: [...bindings].map((letter, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: TYPES[letter] },
        })),
      });
      this.#layouts.set(bindings, layout);
    }
    return layout;
  }

  /** At once, or after the others where it is wanted one at a time. */
  #whenItMay(spec: PipelineSpec, name: string): Promise<Pipeline> {
    const { trying } = this;
    if (trying === undefined) return this.#compile(spec, name);
    const compiled = this.#turn.then(async () => {
      trying([name]);
      try {
        return await this.#compile(spec, name);
      } finally {
        trying([]);
      }
    });
    this.#turn = compiled.catch(() => undefined);
    return compiled;
  }

  /** Does something that runs pipelines of these names; see `trying`. */
  async during<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    if (this.trying === undefined) return work();
    this.trying(names);
    const result = await work();
    this.trying?.([]);
    return result;
  }

  async #compile(spec: PipelineSpec, name: string): Promise<Pipeline> {
    await fetchShader(spec.shader);
    const code = this.source(spec);
    const layout = this.layout(spec.bindings);
    // The module's error is reported with the pipeline's; unscoped it would count as a fault of whatever runs next.
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label: name, code });
    const moduleError = this.#device.popErrorScope();
    try {
      const handle = await this.#device.createComputePipelineAsync({
        label: name,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
      return { name, handle, layout };
    } catch (cause) {
      await moduleError;
      const info = await module.getCompilationInfo();
      const source = code.split('\n');
      const details = info.messages
        .filter((message) => message.type === 'error')
        .map((message) => `line ${message.lineNum}: ${message.message}: ${(source[message.lineNum - 1] ?? '').trim()}`);
      const reason = details.length > 0 ? details.join('; ') : (cause as Error).message;
      throw new RidgepointError('internal', `kernel ${name} does not compile: ${reason}`, { cause });
    }
  }
}
