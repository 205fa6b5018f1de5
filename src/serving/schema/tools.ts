import * as z from 'zod';
import { NO_PARAMETERS, type Tool } from '../../tools/index.js';
import { listOf } from './list.js';

/** As many as OpenAI's API takes. */
export const MOST_TOOLS = 128;
const NAME = /^[\w.-]{1,64}$/;

const name = z.string().regex(NAME, 'expected up to 64 letters, digits, "_", "-" and "."');

const parameters = z
  .custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'expected a JSON schema',
  )
  .nullish()
  // Some clients send an empty one for a tool that takes nothing.
  .transform((given): unknown => (given && Object.keys(given).length > 0 ? given : NO_PARAMETERS));

/** What is said of a function, in each of the APIs. */
export const functionFields = {
  name,
  description: z.string().nullish(),
  parameters,
  // Arguments always fit the schema here.
  strict: z.boolean().nullish(),
};

export const toTool = (given: {
  readonly name: string;
  readonly description?: string | null;
  readonly parameters: unknown;
}): Tool => ({ name: given.name, description: given.description ?? undefined, parameters: given.parameters });

const functionTool = z
  .object(
    {
      type: z.literal('function', { error: 'only functions are supported by this server' }),
      function: z.object(functionFields),
    },
    { error: 'expected an object' },
  )
  .transform((tool) => toTool(tool.function));

const distinctNames = (tools: readonly Tool[]): boolean =>
  new Set(tools.map((tool) => tool.name)).size === tools.length;
export const distinct = { check: distinctNames, error: 'two tools have the same name' };

/** `tools` of a chat. */
export const chatTools = listOf(functionTool, MOST_TOOLS).refine(distinct.check, distinct.error).optional();

/** Which tools a model may call, and whether it must. */
export interface ToolChoice {
  readonly mode: 'none' | 'auto' | 'required';
  /** Only these; undefined for any. */
  readonly names?: readonly string[];
  /** One of them, chosen by the client, is called once. */
  readonly single?: boolean;
}

const mode = z.enum(['none', 'auto', 'required']);
const reference = z.object({ type: z.literal('function'), function: z.object({ name }) });
const allowed = z.object({
  type: z.literal('allowed_tools'),
  allowed_tools: z.object({ mode: z.enum(['auto', 'required']), tools: listOf(reference, MOST_TOOLS) }),
});

/** `tool_choice` of a chat. */
export const chatToolChoice = z
  .unknown()
  .transform((value, context): ToolChoice | undefined => {
    if (value === undefined) return undefined;
    const word = mode.safeParse(value);
    if (word.success) return { mode: word.data };
    const one = reference.safeParse(value);
    if (one.success) return { mode: 'required', names: [one.data.function.name], single: true };
    const some = allowed.safeParse(value);
    if (some.success) {
      const { mode: how, tools } = some.data.allowed_tools;
      return { mode: how, names: tools.map((tool) => tool.function.name) };
    }
    const message = 'expected "none", "auto", "required", a function or a list of allowed tools';
    context.issues.push({ code: 'custom', message, input: undefined });
    return z.NEVER;
  })
  .optional();

/** `functions` and `function_call`, by which one function may be called at a time; older than `tools`. */
export const chatFunctions = listOf(z.object(functionFields).transform(toTool), MOST_TOOLS)
  .refine(distinct.check, distinct.error)
  .optional();
export const chatFunctionCall = z
  .union(
    [
      z.enum(['none', 'auto']).transform((word): ToolChoice => ({ mode: word })),
      z.object({ name }).transform((one): ToolChoice => ({ mode: 'required', names: [one.name], single: true })),
    ],
    { error: 'expected "none", "auto" or an object with a name' },
  )
  .optional();
