import type { ToolFormat, ToolFormatName } from './format.js';
import { generic } from './generic.js';
import { hermes } from './hermes.js';
import { llama } from './llama.js';
import { mistral, mistralArgs } from './mistral.js';
import { pythonic } from './pythonic.js';
import { qwenCoder } from './qwen-coder.js';

/** The first that suits a template is its own. */
const FORMATS: readonly ToolFormat[] = [qwenCoder, hermes, mistralArgs, mistral, pythonic, llama, generic];

export function toolFormat(name: ToolFormatName): ToolFormat {
  return FORMATS.find((format) => format.name === name)!;
}

/**
 * The format of a template's models.
 *
 * @param showsTools whether the template shows the tools it is given; where not, they are described in a message
 */
export function toolFormatOf(template: string | undefined, showsTools: boolean): ToolFormat {
  if (template === undefined || !showsTools) return generic;
  return FORMATS.find((format) => format.suits(template))!;
}
