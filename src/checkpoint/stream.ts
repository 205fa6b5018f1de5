import type { Checkpoint } from './checkpoint.js';
import type { FusedMatrix } from './layout.js';
import { makeSlab, planSlabs, readSlab, type SlabOptions, type SlabPlan } from './slabs.js';

export type StreamOptions = SlabOptions;

/** Consecutive rows of a fused matrix. */
export interface Slab {
  readonly rowsBegin: number;
  readonly rows: number;
  /** rows x strideCols little-endian values of dtype `to`. Valid until the next slab is asked for. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where a slab is made: memory that begins on a multiple of 4; asked for once what it is made of has been read. */
export type SlabRoom = (bytes: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Rows to be streamed as one of several runs. */
export interface StreamJob extends SlabOptions {
  readonly matrix: FusedMatrix;
  /** In place of memory that all jobs share. */
  readonly room?: SlabRoom;
}

/** A slab, and the job it is of. */
export interface JobSlab<Job> extends Slab {
  readonly job: Job;
}

/** Slabs that are read while one is being made: the reads of several files or places overlap. */
const READ_AHEAD = 2;

/** Memory that is used over and over: new memory costs a page fault for each 4 KiB. */
class Reused {
  #buffer = new ArrayBuffer(0);

  take(bytes: number): ArrayBuffer {
    if (this.#buffer.byteLength < bytes) this.#buffer = new ArrayBuffer(bytes);
    return this.#buffer;
  }
}

async function* plansOf<Job extends StreamJob>(
  checkpoint: Checkpoint,
  jobs: Iterable<Job> | AsyncIterable<Job>,
): AsyncGenerator<{ job: Job; plan: SlabPlan }> {
  for await (const job of jobs) for (const plan of planSlabs(checkpoint, job.matrix, job)) yield { job, plan };
}

/**
 * Streams rows of fused matrices, converted, in slabs of consecutive rows. The tensors are read in contiguous ranges,
 * the next slabs', of the next matrix too, while one is being used; host memory is one slab and three read buffers
 * whatever the model's size.
 *
 * Slabs of jobs without a room of their own share one buffer: a slab's bytes are valid until the next one is asked for.
 *
 * @param jobs asked for as far ahead as is read
 * @throws RidgepointError('checkpoint') if a tensor is missing, has another shape, cannot be read, or holds a value that
 *   the target dtype cannot
 */
export async function* streamJobs<Job extends StreamJob>(
  checkpoint: Checkpoint,
  jobs: Iterable<Job> | AsyncIterable<Job>,
): AsyncGenerator<JobSlab<Job>, void, undefined> {
  const staging = new Reused();
  const idle = Array.from({ length: READ_AHEAD + 1 }, () => new Reused());
  const plans = plansOf(checkpoint, jobs);
  const reading: { job: Job; plan: SlabPlan; memory: Reused; buffer: ArrayBuffer; done: Promise<void> }[] = [];
  const readAhead = async (): Promise<void> => {
    while (idle.length > 0) {
      const next = await plans.next();
      if (next.done) return;
      const { job, plan } = next.value;
      const memory = idle.shift()!;
      const buffer = memory.take(plan.readBytes);
      const done = readSlab(checkpoint, plan, buffer);
      done.catch(() => {}); // it is awaited later; until then a failure must not count as unhandled
      reading.push({ job, plan, memory, buffer, done });
    }
  };
  try {
    await readAhead();
    for (let next = reading.shift(); next !== undefined; next = reading.shift()) {
      const { job, plan, memory, buffer, done } = next;
      await done;
      const { rowsBegin, rows } = plan;
      const bytes = job.room ? await job.room(plan.bytes) : new Uint8Array(staging.take(plan.bytes), 0, plan.bytes);
      makeSlab(plan, buffer, bytes);
      idle.push(memory);
      await readAhead();
      yield { job, rowsBegin, rows, bytes };
    }
  } finally {
    // The caller may close the checkpoint next.
    await Promise.allSettled(reading.map(({ done }) => done));
  }
}

/** Streams the rows of one matrix. @throws RidgepointError as `streamJobs` does */
export async function* streamFused(
  checkpoint: Checkpoint,
  matrix: FusedMatrix,
  options: StreamOptions,
): AsyncGenerator<Slab, void, undefined> {
  yield* streamJobs(checkpoint, [{ ...options, matrix }]);
}
