import type { TextKind } from '../../../engine/options/kinds.js';
import type { Simulation } from '../../../simulator/outcome.js';

/** What to draw, and where to. Seconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly path: string;
}

/** `10s..12s out.json`, or the same with a colon. */
export const traceWindow: TextKind<Window> = {
  wanted: 'a time and a file such as "10s..12s out.json"',
  read(given) {
    const match = /^(\d+(?:\.\d+)?)s?\.\.(\d+(?:\.\d+)?)s?[ :](.+)$/.exec(given);
    const [from, to] = [Number(match?.[1]), Number(match?.[2])];
    return match === null || !(to > from) ? undefined : { from, to, path: match[3] };
  },
};

/**
 * Steps and transfers in the Chrome trace format (Trace Event Format, Google): a process a machine. Opens in
 * chrome://tracing and Perfetto.
 */
export function chromeTrace({ steps = [], flows = [], machines }: Simulation, { from, to }: Window): object {
  const inside = ({ begin, end }: { begin: number; end: number }): boolean => end > from && begin < to;
  const slice = (
    pid: number,
    tid: string,
    name: string,
    { begin, end }: { begin: number; end: number },
    args: object,
  ): object => ({
    ph: 'X',
    pid,
    tid,
    name,
    ts: begin * 1e6,
    dur: (end - begin) * 1e6,
    args,
  });
  return {
    displayTimeUnit: 'ms',
    traceEvents: [
      ...machines.map(({ pool }, pid) => ({ ph: 'M', pid, name: 'process_name', args: { name: `${pool} ${pid}` } })),
      ...steps.filter(inside).map((step) =>
        slice(
          step.machine,
          'steps',
          step.promptTokens === 0 ? 'decode' : step.decodeRows === 0 ? 'prefill' : 'mixed',
          step,
          {
            decode_rows: step.decodeRows,
            prompt_tokens: step.promptTokens,
          },
        ),
      ),
      ...flows
        .filter(inside)
        .map((flow) => slice(flow.from, 'transfers', `to ${flow.to}`, flow, { bytes: flow.bytes })),
    ],
  };
}
