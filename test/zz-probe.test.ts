import { it } from 'vitest';
import { testGpu, adapters } from '/work/wt/quant/test/support/adapters.js';
import { freeingAll } from '/work/wt/quant/test/support/buffers.js';
import { matmulData, runMatmul } from '/work/wt/quant/test/support/matmul.js';
import { matmulVariants } from '/work/wt/quant/src/kernels/matmul.js';
import { relativeError } from '/work/wt/quant/test/reference/compare.js';
it('probe', async () => {
  const gpu = await testGpu(adapters[0]);
  const test = { n: 105, k: 64 };
  for (const dtype of (process.env.DT ?? 'f16,int8-g32,int4-g32,int4-g32-zp').split(',') as any[]) {
    const data = matmulData(test, 9, dtype);
    for (const lanes of [8, 1]) {
      const { few, many } = matmulVariants({ dtype, lanes }, gpu.capabilities);
      for (const v of [...few, ...many].filter((x) => x.runs(gpu.capabilities))) {
        const t0 = performance.now();
        await gpu.pipelines.get(v);
        const t1 = performance.now();
        const r = await freeingAll(gpu, () => runMatmul(gpu, v, 'store', dtype, test, data, [1, 9], lanes));
        const t2 = performance.now();
        const err = Math.max(...r.map((x) => relativeError(x.out, x.expected)));
        console.log(dtype, lanes, v.name, 'pipe', (t1 - t0).toFixed(0), 'first run', (t2 - t1).toFixed(0), err.toExponential(1));
      }
    }
  }
}, 170000);
