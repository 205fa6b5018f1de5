import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject } from 'vitest';
import { Gpu } from '../../../src/gpu/gpu.js';
import { PipelineCache, pipelineName } from '../../../src/gpu/pipelines.js';
import type { Variant } from '../../../src/kernels/variant.js';
import { variantKey } from './census.js';

// Writes down which variants of kernels a test file gave to an adapter: those compiled, and bound to buffers.

const compiled = new Map<string, string>();
const ran = new Set<string>();

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const get = PipelineCache.prototype.get;
PipelineCache.prototype.get = function (spec) {
  const { name } = spec as Partial<Variant>;
  if (name !== undefined) compiled.set(pipelineName(spec), variantKey({ ...spec, name }));
  return get.call(this, spec);
};

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const bindGroup = Gpu.prototype.bindGroup;
Gpu.prototype.bindGroup = function (pipeline, ...rest) {
  const key = compiled.get(pipeline.name);
  if (key !== undefined) ran.add(key);
  return bindGroup.call(this, pipeline, ...rest);
};

afterAll(() => {
  const family = /\/test\/kernels\/([^/]+)\//.exec(expect.getState().testPath ?? '')?.[1];
  const lines = [...(family === undefined ? [] : [`family ${family}`]), ...ran];
  if (lines.length > 0) appendFileSync(join(inject('variantsRan'), `${process.pid}`), `${lines.join('\n')}\n`);
});
