import type { CallLimits, Tool } from '../../tools/index.js';
import { badRequest } from '../errors.js';
import type { ToolChoice } from '../schema/tools.js';

/** What may be called in a reply. */
export interface Offer {
  /** All that the model is told of. */
  readonly tools: readonly Tool[];
  /** Those of them that it may call. */
  readonly callable: readonly Tool[];
  readonly limits: CallLimits;
}

/**
 * @returns undefined where nothing may be called: the model is not told of any tools then
 * @throws ApiError (400) where the choice names a tool that is not there, or there is none to choose
 */
export function offerOf(
  tools: readonly Tool[],
  choice: ToolChoice | undefined,
  parallel: boolean | undefined,
): Offer | undefined {
  const { mode, names, single = false } = choice ?? { mode: 'auto' };
  const missing = names?.find((name) => !tools.some((tool) => tool.name === name));
  if (missing !== undefined) throw badRequest(`tool_choice: there is no tool ${missing}`, 'tool_choice');
  const callable = tools.filter(({ name }) => names?.includes(name) ?? true);
  if (mode === 'required' && callable.length === 0) {
    throw badRequest('tool_choice: there are no tools to choose from', 'tool_choice');
  }
  if (mode === 'none' || callable.length === 0) return undefined;
  return { tools, callable, limits: { required: mode === 'required', parallel: !single && (parallel ?? true) } };
}
