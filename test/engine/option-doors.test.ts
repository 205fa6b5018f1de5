import { describe, expect, it } from 'vitest';
import { inFlagWords } from '../../src/cli/options/names.js';
import { tableOption } from '../../src/cli/options/table-flags.js';
import { checkEngineOptions, found, readOption } from '../../src/engine/options/check.js';
import { ENGINE_OPTIONS } from '../../src/engine/options/engine-options.js';
import { GENERATE_OPTIONS } from '../../src/engine/options/generate-options.js';
import { entryOf, flagOf, OPTIONS } from '../../src/engine/options/table.js';
import { RidgepointError } from '../../src/errors.js';
import { Engine } from '../../src/index.js';
import { option, words, type EngineOptionName, type GenerateOptionName, type OptionName } from '../../src/wording.js';
import { FakeEngine } from '../serving/fake-engine.js';
import { post, start } from '../serving/support.js';

/** A value that no option of that name takes, and a text that stands for none where a command line has one. */
const BAD: Record<OptionName, { readonly value: unknown; readonly text?: string }> = {
  model: { value: ' ', text: ' ' },
  adapter: { value: 3 },
  dtype: { value: 'int3', text: 'int3' },
  groupSize: { value: 48, text: '48' },
  zeroPoints: { value: 'yes' },
  headDtype: { value: 'f8', text: 'f8' },
  activations: { value: 'int4', text: 'int4' },
  kvDtype: { value: 'bf16', text: 'bf16' },
  weights: { value: 'none', text: 'none' },
  chatTemplate: { value: '', text: '' },
  contextLength: { value: 0, text: '0' },
  policy: { value: 'fair', text: 'fair' },
  maxSequences: { value: 1.5, text: '1.5' },
  maxBatchedTokens: { value: -1, text: '-1' },
  prefillChunk: { value: NaN, text: 'x' },
  autotune: { value: 1 },
  kvCacheTokens: { value: 0, text: '0' },
  kvCacheBytes: { value: 0.5, text: '12 bushels' },
  kvReserve: { value: 2, text: 'all' },
  logitRows: { value: 0 },
  prefixCaching: { value: null },
  pooling: { value: 'max', text: 'max' },
  'speculate.tokens': { value: 0, text: '0' },
  'speculate.lookup': { value: 0, text: '0' },
  decodeSloMs: { value: 0, text: '0' },
  checkWeights: { value: 'no' },
  maxTokens: { value: -1, text: '0' },
  temperature: { value: 101, text: '101' },
  topK: { value: 1.5, text: '1.5' },
  topP: { value: 0, text: '0' },
  minP: { value: 2, text: '2' },
  repetitionPenalty: { value: 0, text: '0' },
  presencePenalty: { value: -101, text: '-101' },
  frequencyPenalty: { value: 101, text: '101' },
  logitBias: { value: { x: 1 }, text: 'x' },
  seed: { value: 0.5, text: '0.5' },
  stop: { value: [''], text: '' },
  stopIds: { value: [-1], text: 'one' },
  ignoreEos: { value: 'yes' },
  minTokens: { value: -1 },
  includeStop: { value: 'yes' },
  skipSpecialTokens: { value: 'yes' },
  logprobs: { value: -1, text: '-1' },
  priority: { value: 'high' },
};

const engineNames = Object.keys(ENGINE_OPTIONS) as EngineOptionName[];
const generateNames = Object.keys(GENERATE_OPTIONS) as GenerateOptionName[];

/** The one sentence about an option by a name of a door, which stands in front. */
const about = (name: string): RegExp => new RegExp(`^${name.replace('.', '\\.')}:? [^\\n]+[^.\\n]$`);

const engineValue = (name: EngineOptionName): object =>
  name === 'speculate.tokens' || name === 'speculate.lookup'
    ? { speculate: { tokens: 1, lookup: 1, [name.slice('speculate.'.length)]: BAD[name].value } }
    : { [name]: BAD[name].value };

async function refusal(work: () => unknown): Promise<RidgepointError> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (failure: unknown) => failure,
    );
  expect(error).toBeInstanceOf(RidgepointError);
  return error as RidgepointError;
}

describe('a bad value of every option is refused under the name it has', () => {
  it.each(engineNames)('in the library: %s', async (name) => {
    const error = await refusal(() => Engine.load(engineValue(name)));
    expect(error).toMatchObject({ code: 'usage', option: name });
    expect(error.message).toMatch(about(name));
  });

  it.each(generateNames)('in the library: %s', async (name) => {
    const engine = new FakeEngine();
    const error = await refusal(() => engine.generate([1], { [name]: BAD[name].value }));
    expect(error).toMatchObject({ code: 'usage', option: name });
    expect(error.message).toMatch(about(name));
  });

  const flagged = [...engineNames, ...generateNames].filter((name) => flagOf(name) !== undefined);
  const read = flagged.filter((name) => entryOf(name).flags?.includes('<') && name !== 'adapter');
  it.each(read)('on the command line: %s', async (name) => {
    const { text } = BAD[name];
    const parse = tableOption(name).parseArg!;
    const error = await refusal(() => parse(text!, undefined));
    expect(error).toMatchObject({ code: 'usage', option: name });
    expect(inFlagWords(error)).toMatch(about(flagOf(name)!));
    // What the engine would say later of the same option goes by the flag, too.
    const later = new RidgepointError('usage', words`${option(name)} is not for today`, { option: name });
    expect(inFlagWords(later)).toBe(`${flagOf(name)} is not for today`);
  });

  describe('in a request', () => {
    it.each(generateNames)('%s', async (name) => {
      const { wire } = GENERATE_OPTIONS[name];
      const { url } = await start(new FakeEngine());
      const { status, body } = await post(`${url}/v1/completions`, { prompt: 'x', [wire]: BAD[name].value });
      expect(status).toBe(400);
      const { message, param } = body.error as unknown as { message: string; param: string };
      expect(message).toMatch(new RegExp(`^${wire}\\b`));
      expect(param).toMatch(new RegExp(`^${wire}\\b`));
      // No name of another door, where it has one of its own there.
      for (const other of [name, flagOf(name)]) {
        if (other !== undefined && other !== wire) expect(message).not.toContain(other);
      }
    });
  });
});

describe('the table of options', () => {
  it('has a flag, a field or both for all that people may ask for', () => {
    const hidden = [...engineNames, ...generateNames].filter((name) => {
      const { flags, wire } = entryOf(name);
      return flags === undefined && wire === undefined;
    });
    expect(hidden).toEqual(['logitRows']);
    const flags = Object.keys(OPTIONS).flatMap((name) => flagOf(name as OptionName) ?? []);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it('takes its own defaults', () => {
    for (const name of [...engineNames, ...generateNames]) {
      const { kind, default: usual } = entryOf(name);
      if (usual !== undefined) expect(kind.accepts(usual), name).toBe(true);
    }
  });

  it('reads sizes, lists and biases as they are typed', () => {
    expect(readOption('kvCacheBytes', '512 MiB')).toBe(512 * 2 ** 20);
    expect(readOption('kvCacheBytes', '1.5k')).toBe(1536);
    expect(readOption('stop', 'b', ['a'])).toEqual(['a', 'b']);
    expect(readOption('stopIds', '4, 5', [3])).toEqual([3, 4, 5]);
    expect(readOption('logitBias', '7=-2.5', { 3: 1 })).toEqual({ 3: 1, 7: -2.5 });
    expect(readOption('dtype', 'int4-g64-zp')).toBe('int4-g64-zp');
  });

  it('lets an engine be asked for nothing', () => {
    expect(() => checkEngineOptions({})).not.toThrow();
  });
});

describe('a value in an error', () => {
  it('is shown as it was given, however it is made, and not at full length', () => {
    const itself: { self?: unknown } = {};
    itself.self = itself;
    const shown: [unknown, string][] = [
      ['x', '"x"'],
      [NaN, 'NaN'],
      [10n, '10n'],
      [undefined, 'undefined'],
      [() => 1, 'function'],
      [itself, 'what cannot be written as JSON'],
    ];
    for (const [value, text] of shown) expect(found(value)).toBe(text);
    expect(found(Array.from({ length: 1e6 }, () => 5))).toHaveLength(121);
  });
});

describe('an error that speaks of options', () => {
  const error = new RidgepointError('memory', words`it would fit with ${option('kvCacheBytes', 46137344)}`);

  it('has a message in the words of the library and one for each other door', () => {
    expect(error.message).toBe('it would fit with kvCacheBytes 46137344');
    expect(inFlagWords(error)).toBe('it would fit with --kv-cache-memory 44MiB');
    expect(inFlagWords(new Error('plain'))).toBe('plain');
  });
});
