/** What two workers of one core each do, and the most prompt tokens in a step of theirs. */
export interface Arrangement {
  readonly name: string;
  readonly workers: readonly [WorkerKind, WorkerKind];
}

export interface WorkerKind {
  /** Where there is no other for prompts, who answers computes them too. */
  readonly role: 'prefill' | 'decode';
  readonly chunk: number;
}

const both = (chunk: number): Arrangement => {
  const worker: WorkerKind = { role: 'decode', chunk };
  return { name: `two for everything, chunks of ${chunk}`, workers: [worker, worker] };
};

export const ARRANGEMENTS: readonly Arrangement[] = [
  both(64),
  both(512),
  {
    name: 'one for prompts, one for answers',
    workers: [
      { role: 'prefill', chunk: 64 },
      { role: 'decode', chunk: 512 },
    ],
  },
];
