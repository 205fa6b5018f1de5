// Compiles every variant of the kernels that an adapter of the tensor tier can run, one after the other, and prints a
// line of JSON for each: its label, its pipeline's name, and which of the modules that the driver got is its. The first
// argument names the formats of weights, the second the models whose heads attention has: `all`, or a list with commas.
import { readdirSync } from 'node:fs';
import { Engine } from '../../../dist/src/index.js';
import { Gpu } from '../../../dist/src/gpu/gpu.js';
import { PipelineCache, pipelineName, shaderName } from '../../../dist/src/gpu/pipelines.js';
import { decodeAttentionVariants } from '../../../dist/src/kernels/attention/decode.js';
import { attentionVariants } from '../../../dist/src/kernels/attention/kernel.js';
import { fused } from '../../../dist/src/kernels/matmul/fusion.js';
import { matmulVariants } from '../../../dist/src/kernels/matmul/kernel.js';
import { nodeHost } from '../../../dist/src/platform/node/host.js';

const picked = (all, argument = 'all') => (argument === 'all' ? all : argument.split(','));
const FORMATS = picked(['f16', 'bf16', 'f32', 'int8-g128', 'int4-g32', 'int4-g128'], process.argv[2]);
const ALL_SHAPES = {
  'llama-2-7b': { heads: 32, kvHeads: 32, headDim: 128 },
  tinyllama: { heads: 32, kvHeads: 4, headDim: 64 },
  'llama-2-70b': { heads: 64, kvHeads: 8, headDim: 128 },
  'tiny-tales': { heads: 8, kvHeads: 4, headDim: 32 },
};
const SHAPES = Object.fromEntries(
  picked(Object.keys(ALL_SHAPES), process.argv[3]).map((model) => [model, ALL_SHAPES[model]]),
);
const CACHES = ['f16', 'f32', 'int8'];

const dump = process.env.FAKENV_DUMP;
const dumped = () => readdirSync(dump).filter((name) => name.startsWith(`${process.pid}-`)).length;
const seen = new Set();

async function compile(label, spec, make) {
  const name = pipelineName(spec);
  if (seen.has(name)) return;
  seen.add(name);
  const before = dumped();
  let error;
  try {
    await make();
  } catch (cause) {
    error = cause.message;
  }
  const after = dumped();
  // The driver is given a text that it knows already no second time.
  console.log(JSON.stringify({ label, name, shader: spec.shader, module: after > before ? after - 1 : null, error }));
}

const gpu = await Gpu.open(await nodeHost.openGpu(undefined));
const capabilities = gpu.capabilities;
const add = (label, spec) => compile(label, spec, () => gpu.pipelines.get(spec));

for (const dtype of FORMATS) {
  for (const activations of dtype.startsWith('int8') ? ['f32', 'int8'] : ['f32']) {
    const variants = matmulVariants({ dtype, lanes: 1 }, capabilities, activations);
    for (const kind of ['decode', 'prefill']) {
      for (const each of variants[kind].filter((one) => one.runs(capabilities))) {
        const label = `matmul ${kind} ${dtype}${activations === 'int8' ? ' by int8' : ''} ${each.name}`;
        await add(label, each);
        if (kind !== 'decode') continue;
        await add(`${label}+norm`, fused(each, { norm: {} }));
        for (const [model, shape] of Object.entries(SHAPES).slice(0, 2)) {
          await add(`${label}+norm+rope ${model}`, fused(each, { norm: {}, heads: { shape, kv: 'f16' } }));
        }
      }
    }
  }
}
for (const [model, shape] of Object.entries(SHAPES)) {
  for (const kv of CACHES) {
    const { prefill, decode } = attentionVariants(shape, kv, capabilities);
    for (const each of [...prefill, ...decode].filter((one) => one.runs(capabilities))) {
      await add(`attention ${kv} ${model} ${each.name}`, each);
    }
    const { reduce } = decodeAttentionVariants(shape, kv, 'wide', capabilities);
    await add(`attention ${kv} ${model} ${reduce.name}`, reduce);
  }
}
await gpu.dispose();

// What else a model is made of: whatever engines of a format each ask for, one at a time.
const get = PipelineCache.prototype.get;
let turn = Promise.resolve();
PipelineCache.prototype.get = function (spec) {
  const made = turn.then(async () => {
    let pipeline;
    await compile(`model ${shaderName(spec)}`, spec, async () => (pipeline = await get.call(this, spec)));
    return pipeline ?? get.call(this, spec);
  });
  turn = made.catch(() => undefined);
  return made;
};
for (const options of [{ dtype: 'f16' }, { dtype: 'int8', activations: 'int8', kvDtype: 'int8' }]) {
  const engine = await Engine.load({ ...options, weights: 'synthetic', autotune: false, maxSequences: 2 });
  await engine.ready;
  await engine.dispose();
}
process.exit(0);
