import type { GenerationChunk, TokenLogprob } from '../../engine/api.js';

type TokenLogprobs = NonNullable<GenerationChunk['logprobs']>;
/** UTF-8 bytes of a token. */
export type TokenBytesOf = (id: number) => Uint8Array;

/** JSON has no minus infinity; this is what vLLM writes for it. */
const LEAST = -9999;

const utf8 = new TextDecoder();
const strict = new TextDecoder('utf-8', { fatal: true });

const finite = (logprob: number): number => Math.max(LEAST, logprob);

export interface ChatTokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** `logprobs.content` of a chat choice: per token, itself and the likeliest. */
export function chatLogprobs(
  logprobs: TokenLogprobs,
  bytesOf: TokenBytesOf,
): (ChatTokenLogprob & { top_logprobs: ChatTokenLogprob[] })[] {
  const entry = ({ id, logprob }: TokenLogprob): ChatTokenLogprob => {
    const bytes = bytesOf(id);
    return { token: utf8.decode(bytes), logprob: finite(logprob), bytes: [...bytes] };
  };
  return logprobs.map(({ token, top }) => ({ ...entry(token), top_logprobs: top.map(entry) }));
}

export interface CompletionLogprobs {
  readonly tokens: string[];
  readonly token_logprobs: number[];
  readonly top_logprobs: Record<string, number>[];
  readonly text_offset: number[];
}

/** Part of a character cannot be a string; OpenAI writes its bytes. */
function completionToken(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}

/**
 * `logprobs` of a completion's tokens; among the likeliest is always the token chosen.
 *
 * @param offset characters of the choice's text before these tokens
 */
export function completionLogprobs(logprobs: TokenLogprobs, bytesOf: TokenBytesOf, offset: number): CompletionLogprobs {
  const result: CompletionLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  for (const { token, top } of logprobs) {
    const text = completionToken(bytesOf(token.id));
    result.tokens.push(text);
    result.token_logprobs.push(finite(token.logprob));
    const likeliest = [...top, token].map(({ id, logprob }) => [completionToken(bytesOf(id)), finite(logprob)]);
    result.top_logprobs.push(Object.fromEntries(likeliest) as Record<string, number>);
    result.text_offset.push(offset);
    offset += text.length;
  }
  return result;
}
