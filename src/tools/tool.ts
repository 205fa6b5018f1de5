/** A function that is offered to a model. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of its arguments, an object's. */
  readonly parameters: unknown;
}

/** A call as it stands in a conversation; arguments as an object where they were one. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

/** The schema of a tool that takes nothing. */
export const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false };

/** A tool in OpenAI's words, which are those of chat templates. */
export function asTemplateSees({ name, description, parameters }: Tool): object {
  return { type: 'function', function: { name, description: description ?? '', parameters } };
}
