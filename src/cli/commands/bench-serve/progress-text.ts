import type { RunLoadProgress } from '../../../../bench/serve/load/run-load.js';
import type { PolicyName } from '../../../scheduler/policies/index.js';

/** For example `120 of 1000 requests (12 %), 8 running, 3 failed, 4096 tokens: chunked, round 2`. */
export function loadProgressText({
  done,
  total,
  running,
  failed,
  outputTokens,
  policy,
  round,
}: RunLoadProgress & { readonly policy: PolicyName | undefined; readonly round: number }): string {
  const parts = [
    `${done} of ${total} requests (${Math.floor((100 * done) / total)} %)`,
    `${running} running`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `${outputTokens} tokens`,
  ];
  const turn = [...(policy === undefined ? [] : [policy]), ...(round > 0 ? [`round ${round + 1}`] : [])];
  return `${parts.join(', ')}${turn.length > 0 ? `: ${turn.join(', ')}` : ''}`;
}
