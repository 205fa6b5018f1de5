import type { GenerationChunk, TokenLogprob } from '../../engine/api.js';
import type { TokenTexts } from './token-texts.js';

type TokenLogprobs = NonNullable<GenerationChunk['logprobs']>;

/** JSON has no minus infinity; this is what vLLM writes for it. */
const LEAST = -9999;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const finite = (logprob: number): number => Math.max(LEAST, logprob);

/** Part of a character cannot be a string; OpenAI writes its bytes, so that different tokens stay different. */
function tokenText(bytes: Uint8Array, before: string): string {
  try {
    return strict.decode(bytes);
  } catch {
    return before + Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}

export interface ChatTokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** `logprobs.content` of a chat choice, token by token: itself and the likeliest in its place. */
export function* chatLogprobs(
  logprobs: TokenLogprobs,
  texts: TokenTexts,
): Generator<ChatTokenLogprob & { top_logprobs: ChatTokenLogprob[] }> {
  for (const { token, top } of logprobs) {
    const bytesOf = texts.next(token.id);
    const entry = ({ id, logprob }: TokenLogprob): ChatTokenLogprob => {
      const bytes = bytesOf(id);
      return { token: tokenText(bytes, ''), logprob: finite(logprob), bytes: [...bytes] };
    };
    yield { ...entry(token), top_logprobs: top.map(entry) };
  }
}

/** A token of a completion and what is known of it; the first of a prompt has no probability. */
export interface CompletionToken {
  readonly token: string;
  readonly logprob: number | null;
  readonly top: Readonly<Record<string, number>> | null;
  /** Where it stands in the choice's text. */
  readonly offset: number;
  readonly end: number;
}

/** What is known of one token of a prompt, in vLLM's words: the token that stands there and the likeliest ones, by id. */
export type PromptTokenLogprobs = Readonly<
  Record<string, { readonly logprob: number; readonly rank: number | null; readonly decoded_token: string }>
>;

/** `prompt_logprobs`, token by token; of the first nothing is known. Ranks are those of the likeliest, null of others. */
export function* promptLogprobs(logprobs: TokenLogprobs, texts: TokenTexts): Generator<PromptTokenLogprobs | null> {
  yield null;
  for (const { token, top } of logprobs) {
    const bytesOf = texts.next(token.id);
    const all = top.some(({ id }) => id === token.id) ? top : [token, ...top];
    yield Object.fromEntries(
      all.map(({ id, logprob }) => {
        const at = top.findIndex((one) => one.id === id);
        const decoded_token = tokenText(bytesOf(id), 'bytes:');
        return [String(id), { logprob: finite(logprob), rank: at < 0 ? null : at + 1, decoded_token }];
      }),
    );
  }
}

const completionText = (bytes: Uint8Array): string => tokenText(bytes, 'bytes:');

/**
 * A completion's tokens one by one; among the likeliest is always the token chosen.
 *
 * @param first id of a prompt's first token, where the prompt's tokens come first
 * @param offset characters of the choice's text before these tokens
 */
export function* completionTokens(
  logprobs: TokenLogprobs,
  texts: TokenTexts,
  offset: number,
  first?: number,
): Generator<CompletionToken> {
  if (first !== undefined) {
    const token = completionText(texts.next(first)(first));
    const end = offset + (texts.writes(first) ? token.length : 0);
    yield { token, logprob: null, top: null, offset, end };
    offset = end;
  }
  for (const { token, top } of logprobs) {
    const bytesOf = texts.next(token.id);
    const text = completionText(bytesOf(token.id));
    const likeliest = [...top, token].map(({ id, logprob }) => [completionText(bytesOf(id)), finite(logprob)]);
    const end = offset + (texts.writes(token.id) ? text.length : 0);
    const top_logprobs = Object.fromEntries(likeliest) as Record<string, number>;
    yield { token: text, logprob: finite(token.logprob), top: top_logprobs, offset, end };
    offset = end;
  }
}

/** `logprobs` of a completion, a list for each thing that is known of its tokens. */
export interface CompletionLogprobs {
  readonly tokens: Iterable<string>;
  readonly token_logprobs: Iterable<number | null>;
  readonly top_logprobs: Iterable<CompletionToken['top']>;
  readonly text_offset: Iterable<number>;
}

/** @param make goes over the tokens, anew for each list, so that a long answer's are never all there at once */
export function completionLogprobs(make: () => Iterable<CompletionToken>): CompletionLogprobs {
  const list = <T>(pick: (token: CompletionToken) => T): Iterable<T> => ({
    *[Symbol.iterator]() {
      for (const token of make()) yield pick(token);
    },
  });
  return {
    tokens: list(({ token }) => token),
    token_logprobs: list(({ logprob }) => logprob),
    top_logprobs: list(({ top }) => top),
    text_offset: list(({ offset }) => offset),
  };
}
