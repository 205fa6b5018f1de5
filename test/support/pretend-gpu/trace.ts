/** A launch, and the number of the SPIR-V module it runs. */
export interface TracedDispatch {
  readonly grid: readonly [number, number, number];
  readonly module: number;
}

/** What the driver was given for one submission. */
export interface Submission {
  readonly dispatches: readonly TracedDispatch[];
  /** Barriers between two launches. */
  readonly barriers: number;
  /** Barriers with another stage than compute on either side: around copies. */
  readonly otherBarriers: number;
  readonly pipelines: number;
  readonly bindings: number;
  readonly copies: number;
}

/** Bit of `VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT`, as the trace prints it. */
const COMPUTE = '800';

/** Submissions of a trace, in their order. */
export function parseTrace(text: string): Submission[] {
  const submissions: Submission[] = [];
  let open = empty();
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.split(' ');
    switch (word) {
      case 'dispatch': {
        const [x, y, z, , module] = rest;
        open.dispatches.push({ grid: [Number(x), Number(y), Number(z)], module: Number(module) });
        break;
      }
      case 'barrier':
        if (rest[0] === COMPUTE && rest[1] === COMPUTE) open.barriers++;
        else open.otherBarriers++;
        break;
      case 'pipeline':
        open.pipelines++;
        break;
      case 'sets':
        open.bindings++;
        break;
      case 'copy':
        open.copies++;
        break;
      case 'submit':
        submissions.push(open);
        open = empty();
        break;
    }
  }
  return submissions;
}

const empty = () => ({
  dispatches: [] as TracedDispatch[],
  barriers: 0,
  otherBarriers: 0,
  pipelines: 0,
  bindings: 0,
  copies: 0,
});
