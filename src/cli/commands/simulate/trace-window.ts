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

/** A simulation that kept its steps, with what tells it from others in the same trace. */
export interface DrawnRun {
  readonly simulation: Simulation;
  readonly name?: string;
}

/**
 * Steps and transfers in the Chrome trace format (Trace Event Format, Google): a process a machine, of one run after the
 * other, all on one time axis from the beginning of each. Opens in chrome://tracing and Perfetto.
 */
export function chromeTrace(runs: readonly DrawnRun[], window: Window): object {
  let processes = 0;
  const traceEvents = runs.flatMap((run) => {
    const first = processes;
    processes += run.simulation.machines.length;
    return eventsOf(run, window, first);
  });
  return { displayTimeUnit: 'ms', traceEvents };
}

/** @param first the process of the run's first machine */
function eventsOf(
  { simulation: { steps = [], flows = [], machines }, name }: DrawnRun,
  { from, to }: Window,
  first: number,
): object[] {
  const inside = ({ begin, end }: { begin: number; end: number }): boolean => end > from && begin < to;
  const slice = (
    machine: number,
    tid: string,
    name: string,
    { begin, end }: { begin: number; end: number },
    args: object,
  ): object => ({
    ph: 'X',
    pid: first + machine,
    tid,
    name,
    ts: begin * 1e6,
    dur: (end - begin) * 1e6,
    args,
  });
  const before = name === undefined ? '' : `${name}: `;
  return [
    ...machines.map(({ pool }, at) => ({
      ph: 'M',
      pid: first + at,
      name: 'process_name',
      args: { name: `${before}${pool} ${at}` },
    })),
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
    ...flows.filter(inside).map((flow) => slice(flow.from, 'transfers', `to ${flow.to}`, flow, { bytes: flow.bytes })),
  ];
}
