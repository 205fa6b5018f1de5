import { hermes } from './hermes.js';
import type { ToolFormat } from './format.js';

/** For models whose template knows of no tools: told how to call them in words, in Hermes' form. */
export const generic: ToolFormat = { ...hermes, name: 'generic', suits: () => true, described: true };
