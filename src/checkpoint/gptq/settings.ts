import { RidgepointError } from '../../errors.js';
import type { DynamicRule } from '../packed/format.js';
import { rulesOf } from './dynamic.js';

/** What GPTQ's settings say beyond bits and groups. */
export interface GptqSettings {
  readonly zeroOffset: 0 | 1;
  readonly actOrder: boolean;
  /** Read on demand: settings that nobody knows are told of before rules that cannot be read. */
  readonly dynamic: () => { readonly dynamic: readonly DynamicRule[] } | undefined;
}

/**
 * @param at where the settings stand, for messages
 * @throws RidgepointError naming the layout that is not supported
 */
export function gptqSettings(settings: Readonly<Record<string, unknown>>, at: string): GptqSettings {
  const { format, checkpoint_format: layout = format ?? 'gptq', desc_act: actOrder, dynamic } = settings;
  if (layout !== 'gptq' && layout !== 'gptq_v2') {
    const what = `"checkpoint_format" ${JSON.stringify(layout)} is not supported`;
    throw new RidgepointError('checkpoint', `${at}: ${what}; Ridgepoint loads "gptq" and "gptq_v2"`);
  }
  if (typeof (actOrder ?? false) !== 'boolean') {
    const found = `found ${JSON.stringify(actOrder)}`;
    throw new RidgepointError('checkpoint', `${at}: "desc_act" must be true or false, ${found}`);
  }
  return {
    zeroOffset: layout === 'gptq' ? 1 : 0,
    actOrder: actOrder === true,
    dynamic: () => rulesOf(dynamic, at),
  };
}
