import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { chosen } from '../support/scale.js';
import { build, cli, Scratch, withKeys } from './support.js';

const scratch = new Scratch();
const on = ['--adapter', adapters[0]];
// Others are told of a port that is taken before anything else.
const serve = ['serve', '--port', '0', ...on];
beforeAll(build);
afterAll(() => scratch.remove());

/** One sentence on standard error, nothing on standard output, no stack trace. */
async function expectRefusal(args: string[], code: number, message: RegExp, input?: Uint8Array): Promise<void> {
  const result = await cli(args, { input });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^ridgepoint: [^\n]+\n$/);
  expect(result.stderr).not.toMatch(/^\s+at |unexpected error|\[object/m);
  expect([result.code, result.stdout]).toEqual([code, '']);
}

describe('wrong usage exits with 2 and names the option', () => {
  const cases: [string, string[], RegExp][] = [
    ['unknown command', ['generat', 'x'], /unknown command 'generat'.*generate/],
    ['unknown option', ['generate', 'x', '--top-q', '1'], /unknown option '--top-q'.*--top-p/],
    ['option without its value', ['generate', 'x', '--model'], /--model <model>' argument missing/],
    ['two prompts', ['generate', 'Once', 'upon'], /quotes/],
    ['no prompt', ['generate', ...on], /standard input is empty/],
    ['top-p out of range', ['generate', 'x', '--top-p', '2'], /--top-p must be .*found "2"/],
    ['min-p out of range', ['generate', 'x', '--min-p', '-1'], /--min-p must be/],
    [
      'temperature not a number',
      ['generate', 'x', '--temperature', 'hot'],
      /--temperature must be a number from 0 to 100, found "hot"/,
    ],
    ['top-k not whole', ['generate', 'x', '--top-k', '1.5'], /--top-k must be a whole number/],
    ['repetition penalty', ['generate', 'x', '--repetition-penalty', '0'], /--repetition-penalty must be/],
    ['seed', ['generate', 'x', '--seed', '-3'], /--seed must be a whole number/],
    ['max tokens', ['generate', 'x', '--max-tokens', '0'], /--max-tokens must be a whole number of at least 1/],
    ['empty stop', ['generate', 'x', '--stop', ''], /--stop must/],
    [
      'dtype',
      ['generate', 'x', '--dtype', 'f8'],
      /--dtype must be one of auto, f16, bf16, f32, int8, int4, found "f8"/,
    ],
    ['kv dtype', ['generate', 'x', '--kv-dtype', 'bf16'], /--kv-dtype must be one of/],
    ['logit bias', ['generate', 'x', '--logit-bias', 'cat'], /--logit-bias must be .*403=-2.5/],
    ['ids that are none', ['generate', '--prompt-ids', '1,two'], /--prompt-ids must be token ids/],
    ['prompt and ids', ['generate', 'x', '--prompt-ids', '1'], /a prompt and --prompt-ids/],
    ['absent prompt file', ['generate', '--prompt-file', 'no-such.txt'], /no-such\.txt: there is no such file/],
    ['prompt file that is a folder', ['generate', '--prompt-file', '.'], /it is a folder/],
    ['model that is nothing', ['generate', 'x', '--model', 'no-such-model', ...on], /no-such-model.*presets are/],
    ['preset without weights', ['generate', 'x', '--model', 'llama-2-7b', ...on], /--weights synthetic/],
    ['context beyond the model', ['generate', 'x', '--context-length', '9999', ...on], /--context-length 9999 is more/],
    ['bias of an unknown token', ['generate', 'x', '--logit-bias', '99999=1', ...on], /--logit-bias names token 99999/],
    [
      'a budget below the sequences',
      [...serve, '--max-num-seqs', '40', '--max-num-batched-tokens', '10'],
      /: --max-num-batched-tokens must be at least 40, one for each of 40 sequences, found 10$/m,
    ],
    ['a cache of less than a block', [...serve, '--kv-cache-memory', '16'], /: --kv-cache-memory must be at/],
    [
      'a goal of no time',
      [...serve, '--decode-slo', '0', '--policy', 'decode-priority'],
      /: --decode-slo must be a number above 0, found "0"$/m,
    ],
    ['logprobs nobody would see', ['generate', 'x', '--logprobs', '1'], /--logprobs needs --json/],
    ['chat without a template', ['chat', ...on], /no chat template; add --plain/],
    ['system in plain chat', ['chat', '--plain', '--system', 'x'], /--system/],
  ];
  it.concurrent.each(chosen(cases, (_, i) => i % 8 === 4))('%s', async (_, args, message) => {
    await expectRefusal(args, 2, message);
  });

  it('standard input that is not text', async () => {
    await expectRefusal(['generate', ...on], 2, /standard input: is not UTF-8/, Uint8Array.of(0x61, 0xff));
  });

  it('no command at all shows the help', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Usage: ridgepoint/);
  });
});

describe('failures exit with 1 and name the place', () => {
  const config = (changes: Record<string, unknown>) => ({ 'config.json': withKeys(changes) });
  const model = (name: string, changes: Parameters<Scratch['model']>[1]) => [
    'generate',
    'x',
    ...on,
    '--model',
    scratch.model(name, changes),
  ];
  const header = (old: Buffer, edit: (json: string) => string): Uint8Array => {
    const length = Number(old.readBigUInt64LE(0));
    const json = Buffer.from(edit(old.toString('utf8', 8, 8 + length)));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([size, json, old.subarray(8 + length)]);
  };
  const cases: [string, string[], RegExp][] = [
    ['missing folder', ['generate', 'x', ...on, '--model', './no/such/folder'], /no\/such\/folder/],
    ['no config', model('no-config', { 'config.json': undefined }), /no config\.json/],
    ['config that is no JSON', model('bad-json', { 'config.json': () => '{' }), /config\.json: is not valid JSON/],
    [
      'unknown architecture',
      model('mamba', config({ architectures: ['MambaForCausalLM'], model_type: 'mamba' })),
      /config\.json.*[mM]amba/,
    ],
    ['no weights', model('no-weights', { 'model.safetensors': undefined }), /model\.safetensors/],
    [
      'truncated weights',
      model('cut', { 'model.safetensors': (old) => old.subarray(0, 100_000) }),
      /model\.safetensors/,
    ],
    [
      'header longer than the file',
      model('long-header', { 'model.safetensors': () => Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 123) }),
      /model\.safetensors/,
    ],
    ['wrong shape', model('shape', config({ intermediate_size: 512 })), /mlp\.\w+\.weight.*512/],
    [
      'missing tensor',
      model('renamed', {
        'model.safetensors': (old) => header(old, (json) => json.replace('layers.0.mlp.up', 'layers.0.mlp.xx')),
      }),
      /layers\.0\.mlp\.up_proj\.weight/,
    ],
    ['unknown adapter', ['generate', 'x', '--adapter', 'no-such-gpu'], /"no-such-gpu"; there are: "/],
    ['unknown adapter in devices', ['devices', '--adapter', 'no-such-gpu'], /"no-such-gpu"; there are: "/],
    ['prompt longer than the context', ['generate', 'a fox '.repeat(300), ...on], /context is 512; shorten it/],
    [
      'prompt ids out of the vocabulary',
      ['generate', '--prompt-ids', '1,4000', ...on],
      /4000 is not in the vocabulary/,
    ],
    [
      'weights that are not numbers, when checked',
      [
        ...model('nan', {
          'model.safetensors': (old) => Buffer.concat([old.subarray(0, -64), Buffer.alloc(64, 0xff)]),
        }),
        '--check-weights',
      ],
      /weight.*NaN/,
    ],
    [
      'text for a model without a tokenizer',
      model('no-tokenizer', { 'tokenizer.json': undefined }),
      /no tokenizer\.json.*--prompt-ids/,
    ],
  ];
  it.concurrent.each(chosen(cases, (_, i) => i % 8 === 4))('%s', async (name, args, message) => {
    await expectRefusal(args, name.startsWith('text for') ? 2 : 1, message);
  });

  // A GPU does not tell its free memory, and a large one would try.
  it.skipIf(!/lavapipe|swiftshader/.test(adapters[0]))('a model larger than memory', async () => {
    const args = [
      'generate',
      '--prompt-ids',
      '1',
      '--model',
      'llama-2-70b',
      '--weights',
      'synthetic',
      '--dtype',
      'f32',
    ];
    await expectRefusal([...args, ...on], 1, /llama-2-70b.*GiB/);
  });

  it('an error of ours shows its stack only when asked', async () => {
    const args = ['generate', 'x', '--adapter', 'no-such-gpu'];
    const { stderr } = await cli(args, { env: { RIDGEPOINT_DEBUG: '1' } });
    expect(stderr).toMatch(/^\s+at /m);
  });
});
