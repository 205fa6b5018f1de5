import { describe, expect, it } from 'vitest';
import { optionOf, type CommandTable } from '../../src/cli/options/command-table.js';
import { inFlagWords } from '../../src/cli/options/names.js';
import { PREDICT } from '../../src/cli/commands/predict/flags.js';
import { SIMULATE } from '../../src/cli/commands/simulate/flags.js';
import { RidgepointError } from '../../src/errors.js';
import { toApiError } from '../../src/serving/errors.js';
import { commandFlag, option, words, type CommandOptionName } from '../../src/wording.js';

/** A text that stands for no value, of every option that takes one. */
const BAD: Readonly<Record<keyof typeof TABLES, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  predict: {
    where: {
      ...{ model: ' ', hardware: ' , ', adapter: '', calibration: ' ', prompt: '0', output: '1,x', cached: '-1' },
    },
    batch: { batch: '1..x' },
    how: {
      ...{ weightDtype: 'f16,int3', kvDtype: 'bf16', computeDtype: 'int3', kernels: 'cuda', engine: 'tgi' },
      ...{ tp: '0', pp: '1.5', prefillChunk: '0' },
    },
    map: { against: '' },
    limits: { ttft: 'soon', itl: '' },
    crossoverBatch: { batch: ',' },
    range: { from: '0', to: '-1' },
    steps: { chunk: '-1', decoding: 'many', context: '0.5' },
    guesses: { draft: ' ', draftTokens: '0', acceptance: '70' },
    tokens: { usdPerHour: '2,free', watts: '0', network: '-1' },
    chip: {
      ...{ chip: 'tpu', die: '0', memory: 'all', memoryType: 'ddr', bandwidth: '-1', packages: '0', price: 'none' },
      cluster: 'prefill=x',
    },
  },
  simulate: {
    load: {
      ...{ trace: 'conv.csv', rate: '0', duration: '-1', numPrompts: '0', resample: 'twice', inputLen: '5-3' },
      ...{ outputLen: '0', seed: '-1', seeds: '0' },
    },
    slo: { slo: 'ttft:90:500' },
    price: { price: 'h100' },
    output: { report: ' ' },
    run: { output: '' },
    window: { traceWindow: '2..1 x' },
    provision: { most: '0' },
    gain: {
      ...{ prefill: ' ', decode: '', model: ' ', weights: '', network: '8..1', latency: 'none' },
      ...{ promptLen: '1,,2', answerLen: '0' },
    },
    sweep: { output: ' ', threads: '0' },
    replay: { calibration: ' ', adapter: ' ', fit: '' },
    replicate: { data: '' },
  },
};

const TABLES = { predict: PREDICT, simulate: SIMULATE } as const;

interface Case {
  readonly owner: keyof typeof TABLES;
  readonly table: string;
  readonly name: string;
  readonly entry: CommandTable[string];
}

const ALL = (Object.keys(TABLES) as (keyof typeof TABLES)[]).flatMap((owner) =>
  Object.entries(TABLES[owner] as Readonly<Record<string, CommandTable>>).flatMap(([table, entries]) =>
    Object.entries(entries).map(([name, entry]): Case => ({ owner, table, name, entry })),
  ),
);

function refusal(work: () => unknown): RidgepointError {
  try {
    work();
  } catch (error) {
    if (error instanceof RidgepointError) return error;
  }
  throw new Error('nothing was refused in a sentence of ours');
}

describe('options that one command has', () => {
  it.each(ALL.filter(({ entry }) => entry.flags.includes('<')))(
    '$owner, $table: a bad $name is refused in one sentence under its flag',
    ({ owner, table, name, entry }) => {
      const full: CommandOptionName = `${owner}.${name}`;
      const bad = BAD[owner][table][name];
      const error = refusal(() => optionOf(owner, name, entry).parseArg!(bad, undefined));
      expect(error).toMatchObject({ code: 'usage', option: full });
      const [flag] = entry.flags.split(' ');
      const sentence = inFlagWords(error);
      expect(sentence).toBe(
        `${flag} must be ${entry.kind.wantedText ?? entry.kind.wanted}, found ${JSON.stringify(bad)}`,
      );
      expect(sentence).not.toMatch(/\n|\.$/);
      // They have no other name for anybody.
      expect([error.message, toApiError(error).message]).toEqual([sentence, sentence]);
    },
  );

  it.each(ALL)('$owner, $table: $name is what commander calls the value of its flag', ({ owner, name, entry }) => {
    expect(optionOf(owner, name, entry).attributeName()).toBe(name);
    expect(commandFlag(`${owner}.${name}`)).toBe(entry.flags.split(' ')[0]);
  });

  it('have defaults that they would take', () => {
    for (const { entry, name } of ALL) {
      const { default: usual, kind } = entry;
      if (usual !== undefined)
        expect(kind.read(kind.show?.(usual) ?? String(usual as string | number), undefined), name).toEqual(usual);
    }
  });

  it('are named with a value in sentences', () => {
    const error = new RidgepointError('usage', words`try ${option('simulate.numPrompts', 3)}`);
    expect(inFlagWords(error)).toBe('try --num-prompts 3');
  });
});
