import type { ProbedStep } from '../../src/engine/probe.js';

/** A step with what it is to be called. */
export interface NamedStep {
  readonly name: string;
  readonly step: ProbedStep;
  /** By operation name; missing where there is no prediction. */
  readonly predictedMs?: ReadonlyMap<string, number>;
}

/** One event of the Chrome trace format; times in microseconds. */
export interface TraceEvent {
  readonly ph: 'X' | 'M';
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

const PID = 1;
const TRACKS = { steps: 1, cpu: 2, gpu: 3 } as const;
const TRACK_NAMES = { steps: 'steps', cpu: 'CPU: recording and submitting', gpu: 'GPU: operations' };

/**
 * A trace that Perfetto and chrome://tracing open: steps, recording on the CPU and operations on the GPU, each on a
 * track of its own.
 *
 * The two clocks are not the same. A step's GPU work is placed so that its last operation ends when the host learns
 * that the GPU is done, but never before it was submitted; the truth is up to one callback earlier.
 */
export function profileTrace(steps: readonly NamedStep[], about: Readonly<Record<string, string>>): Trace {
  const origin = Math.min(...steps.map(({ step }) => step.startedAt));
  const name = (key: keyof typeof TRACKS): TraceEvent[] => [
    { ph: 'M', name: 'thread_name', pid: PID, tid: TRACKS[key], args: { name: TRACK_NAMES[key] } },
    { ph: 'M', name: 'thread_sort_index', pid: PID, tid: TRACKS[key], args: { sort_index: TRACKS[key] } },
  ];
  return {
    displayTimeUnit: 'ms',
    otherData: about,
    traceEvents: [
      {
        ph: 'M',
        name: 'process_name',
        pid: PID,
        tid: 0,
        args: { name: `ridgepoint, ${about.model} on ${about.adapter}` },
      },
      ...(Object.keys(TRACKS) as (keyof typeof TRACKS)[]).flatMap(name),
      ...steps.flatMap((each) => stepEvents(each, origin)),
    ],
  };
}

function stepEvents({ name, step, predictedMs }: NamedStep, origin: number): TraceEvent[] {
  const { startedAt, recordMs, submitMs, wallMs, operations = [], batch } = step;
  const us = (ms: number): number => 1000 * (ms - origin);
  const span = (on: 'step' | 'cpu' | 'gpu', label: string, begin: number, ms: number, args?: object): TraceEvent => ({
    ph: 'X',
    name: label,
    cat: on,
    pid: PID,
    tid: on === 'step' ? TRACKS.steps : TRACKS[on],
    ts: us(begin),
    dur: 1000 * ms,
    ...(args === undefined ? {} : { args: args as Record<string, unknown> }),
  });
  const tokens = batch.sequences.reduce((sum, { newTokens }) => sum + newTokens, 0);
  const gpuMs = Math.max(0, ...operations.map(({ endNs }) => endNs)) / 1e6;
  const submitted = startedAt + recordMs + submitMs;
  const gpuBegin = Math.max(submitted, startedAt + wallMs - gpuMs);
  return [
    span('step', name, startedAt, Math.max(wallMs, gpuBegin - startedAt + gpuMs), { tokens }),
    span('cpu', `record ${name}`, startedAt, recordMs),
    span('cpu', `submit ${name}`, startedAt + recordMs, submitMs),
    ...operations.map(({ name: operation, beginNs, endNs }) => {
      const ms = Math.max(0, endNs - beginNs) / 1e6;
      const predicted = predictedMs?.get(operation);
      const args = { step: name, ...(predicted === undefined ? {} : { predicted_us: 1000 * predicted }) };
      return span('gpu', operation, gpuBegin + beginNs / 1e6, ms, args);
    }),
  ];
}
