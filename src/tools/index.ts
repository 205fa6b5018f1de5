export { described, withShortIds } from './conversation.js';
export { TOOL_FORMATS, type CallLimits, type ToolFormat, type ToolFormatName } from './formats/format.js';
export { toolFormat, toolFormatOf } from './formats/index.js';
export { type ReplyEvent, type ReplyReader } from './reading/events.js';
export { ReasoningReader, TextReader, type ReasoningMarkers } from './reading/reasoning.js';
export { afterReasoning, isThinking, reasoningOf } from './reasoning.js';
export { asTemplateSees, NO_PARAMETERS, type Tool } from './tool.js';
