import type { EngineInfo } from '../../engine/api.js';

/** What every answer and every event of it begins with. */
export interface AnswerHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  /** Changes when the same seed may give another text. */
  readonly system_fingerprint: string;
}

/** @param kind `chatcmpl` or `cmpl` */
export function answerHead(kind: string, model: string, info: EngineInfo): AnswerHead {
  return {
    id: `${kind}-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: `ridgepoint-${info.tier}-${info.dtype}-kv-${info.kvDtype}`,
  };
}
