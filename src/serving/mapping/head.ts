import type { EngineInfo } from '../../engine/api.js';
import type { AnswerInHand } from '../kept-requests.js';

/** What every answer and every event of it begins with. */
export interface AnswerHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  /** Changes when the same seed may give another text. */
  readonly system_fingerprint: string;
}

/** When an answer was asked for, in seconds since 1970. */
export const createdAt = (kept: Pick<AnswerInHand, 'created'> | undefined): number =>
  kept?.created ?? Math.floor(Date.now() / 1000);

/** @param id with its kind in front, `chatcmpl` or `cmpl` */
export function answerHead(
  { id, created }: Pick<AnswerHead, 'id' | 'created'>,
  model: string,
  info: EngineInfo,
): AnswerHead {
  return {
    id,
    created,
    model,
    system_fingerprint: `ridgepoint-${info.tier}-${info.dtype}-kv-${info.kvDtype}`,
  };
}
