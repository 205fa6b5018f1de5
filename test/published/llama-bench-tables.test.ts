import { expect, test } from 'vitest';
import { llamaBenchTables } from '../../src/published/ledger/llama-bench-tables.js';
import { rowsOfPage } from '../../src/published/ledger/sources.js';

/** Made up, in the form of the page that is fetched. */
const PAGE = `
| GPU      | 8B F16 |
|----------|--------|
| 4090 24GB | 999   |

#### Cards

| GPU            | Model      | tg 512 | tg 1024 | tg 4096 | pp 512 | pp 1024 |
|----------------|------------|--------|---------|---------|--------|---------|
| 4090 24GB      | 8B Q4_K_M  | 100.00 | 80      | OOM     | 2000   | 1000    |
|                | 8B F16     | 50     | 40      | 20      | 512    | 2048    |
| 4090 24GB * 2  | 8B Q4_K_M  | 70     | 60      | 50      | 300    | 200     |
|                | 70B Q4_K_M | 7      | 6       | 5       | 30     | 20      |
| Unheard Of 9GB | 8B F16     | 1      | 1       | 1       | 1      | 1       |

| M3 Max 40\u2011Core GPU 64GB | 8B F16 | 1 | 1 |

#### Chips

| GPU                     | Model     | tg 512 | pp 512 |
|-------------------------|-----------|--------|--------|
| M3 Max 40\u2011Core GPU 64GB | 70B Q4_K_M| 5      | 64     |
`;

test('rows of single devices that are known, in milliseconds, with every other one of those to be fitted', () => {
  const shown = llamaBenchTables(PAGE, 'x').map(({ device, model, weights, metric, prompt, output, ms, fit }) =>
    [device, model, weights, metric, prompt, output, ms, fit].join(' '),
  );
  expect(shown).toEqual([
    'rtx-4090 llama-3-8b q4-k-m tpot 1 513 10 false',
    'rtx-4090 llama-3-8b q4-k-m tpot 1 1025 12.5 true',
    'rtx-4090 llama-3-8b q4-k-m ttft 512 1 256 false',
    'rtx-4090 llama-3-8b q4-k-m ttft 1024 1 1024 true',
    'rtx-4090 llama-3-8b f16 tpot 1 513 20 false',
    'rtx-4090 llama-3-8b f16 tpot 1 1025 25 true',
    'rtx-4090 llama-3-8b f16 tpot 1 4097 50 false', // its prompts are faster the longer they are, and left out
    'apple-m3-max llama-3-70b q4-k-m tpot 1 513 200 false',
    'apple-m3-max llama-3-70b q4-k-m ttft 512 1 8000 false',
  ]);
});

test('a page without such a table is refused in a sentence', () => {
  expect(() => rowsOfPage('| GPU | Model |\n| 4090 24GB | 8B F16 |', 'some')).toThrow(
    /^--fetch some: the page has no table of llama-bench that can be read; /,
  );
});
