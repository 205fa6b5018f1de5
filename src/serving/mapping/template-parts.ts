import type { TextEngine } from '../../engine/api.js';

/** What a chat template shows of tools. */
export interface TemplateParts {
  /** The tools that may be called. */
  readonly tools: boolean;
  /** What an assistant has called. */
  readonly calls: boolean;
  /** What tools have answered. */
  readonly answers: boolean;
}

const PARAMETERS = { type: 'object', properties: { x: { type: 'integer', description: 'a number' } }, required: ['x'] };
const TOOL = { type: 'function', function: { name: 'lookforthis', description: 'nothing', parameters: PARAMETERS } };
const CALL = { id: 'call00001', type: 'function', function: { name: 'lookforthis', arguments: { x: 1 } } };

/** What a template shows is seen by rendering some. */
export async function templateParts(engine: TextEngine): Promise<TemplateParts> {
  const shows = async (word: string, ...rendered: Parameters<TextEngine['chatTextAside']>): Promise<boolean> => {
    try {
      return (await engine.chatTextAside(...rendered)).includes(word);
    } catch {
      return false;
    }
  };
  const history = [
    { role: 'user' as const, content: 'question' },
    { role: 'assistant' as const, content: '', tool_calls: [CALL] },
    { role: 'tool' as const, content: 'andforthis', tool_call_id: 'call00001', name: 'lookforthis' },
  ];
  const offered = [{ role: 'user' as const, content: 'question' }];
  return {
    tools: await shows('lookforthis', offered, { tools: [TOOL] }),
    calls: await shows('lookforthis', history),
    answers: await shows('andforthis', history),
  };
}
