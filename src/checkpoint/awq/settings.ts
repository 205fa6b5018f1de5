import { RidgepointError } from '../../errors.js';
import { printable } from '../source.js';

/** Refuses all versions of AWQ's words but one. @param at where the settings stand, for messages */
export function checkAwq(settings: Readonly<Record<string, unknown>>, at: string): void {
  for (const name of ['version', 'format', 'checkpoint_format']) {
    const value = settings[name];
    if (value === undefined || value === null) continue;
    if (typeof value === 'string' && value.toLowerCase() === 'gemm') continue;
    const what = `"${name}" ${printable(JSON.stringify(value))} is not supported`;
    throw new RidgepointError('checkpoint', `${at}: ${what}; Ridgepoint loads "gemm"`);
  }
}
