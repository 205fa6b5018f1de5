import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GpuSource } from '../../gpu/gpu.js';
import type { ShaderReader } from '../../gpu/shader-source.js';
import type { OpenedAdapter } from './dawn.js';
import { packageRoot } from './package-root.js';

/** Reads a shader by its path below the package's `shaders/`. */
export const readShader: ShaderReader = (path) => readFileSync(join(packageRoot(), 'shaders', path), 'utf8');

/** An opened adapter as `Gpu.open` takes it. */
export function gpuSource({ adapter, name, driver, languageFeatures, disabled }: OpenedAdapter): GpuSource {
  return { adapter, name, driver, languageFeatures, disabled, readShader };
}
