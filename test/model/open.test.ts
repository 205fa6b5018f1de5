import { expect, it } from 'vitest';
import { describeModel, openModel } from '../../src/model/open.js';
import { TINY } from '../engine/support.js';

const opened = (eos: unknown) =>
  openModel(
    describeModel({
      name: 'tiny',
      folder: undefined,
      config: { ...TINY, eos_token_id: eos },
      configName: 'config.json',
    }),
  );

it('says of ids that end a generation which of them no token can have', async () => {
  const vocab = (TINY as { vocab_size: number }).vocab_size;
  const { eosIds, notices } = await opened([2, vocab, vocab + 7]);
  expect(eosIds).toEqual([2]);
  expect(notices).toEqual([
    `tiny: "eos_token_id" ${vocab}, ${vocab + 7} is beyond the model's ${vocab} tokens, so it ends nothing`,
  ]);
  expect((await opened([2])).notices).toEqual([]);
});
