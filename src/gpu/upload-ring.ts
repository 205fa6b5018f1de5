import type { Gpu } from './gpu.js';

export interface UploadRingOptions {
  /** Bytes of a buffer; rounded up to 16. */
  readonly slotBytes?: number;
  /** Buffers at most; with `slotBytes` the bound on what is in flight. */
  readonly slots?: number;
}

/** Large enough that a launch of a copy and a look at its end cost nothing beside it. */
const SLOT_BYTES = 8 << 20;
/** One is filled while others are copied. */
const SLOTS = 4;

/** Rooms begin on multiples of this, so that any array of numbers may lie in them. */
const ALIGNMENT = 16;

interface Slot {
  readonly buffer: GPUBuffer;
  /** The mapped memory; undefined while the GPU copies from it. */
  memory: ArrayBuffer | undefined;
  /** Bytes given out of it. */
  used: number;
  /** Resolves when it is mapped again. */
  mapped: Promise<void>;
  readonly copies: { readonly from: number; readonly to: GPUBuffer; readonly at: number; readonly bytes: number }[];
}

/**
 * Uploads through a ring of buffers that the host writes to while they are mapped: what is made in place of them is
 * copied once, by the GPU. Each is mapped again when its copies are done, so no more than all of them is ever in
 * flight, and whoever writes faster than the GPU copies waits. Memory of a mapped buffer may be slow to read: write to
 * it, once and in order.
 */
export class UploadRing {
  readonly #slotBytes: number;
  readonly #most: number;
  /** In the order they were last used. */
  readonly #slots: Slot[] = [];
  #current: Slot | undefined;
  /** The end of the last upload that was too large for a buffer of the ring. */
  #large: Promise<unknown> = Promise.resolve();
  /** Never resolves but by the loss of the device, after which a buffer may stay pending for ever. */
  readonly #loss: Promise<never>;
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, { slotBytes = SLOT_BYTES, slots = SLOTS }: UploadRingOptions = {}) {
    this.#gpu = gpu;
    this.#slotBytes = Math.max(ALIGNMENT, Math.ceil(slotBytes / ALIGNMENT) * ALIGNMENT);
    this.#most = slots;
    this.#loss = new Promise((_, reject) => gpu.onLost(reject));
    this.#loss.catch(() => undefined);
  }

  /**
   * Memory to be filled at once, before anything is awaited, and then sent by `copy`. What it holds is of no meaning.
   *
   * @param bytes more than a buffer of the ring has get one of their own
   * @throws RidgepointError when the device is lost or an upload before has failed
   */
  async room(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#gpu.check();
    let slot = this.#current;
    if (slot === undefined || slot.used + bytes > slot.buffer.size) {
      this.flush();
      slot = bytes > this.#slotBytes ? await this.#ownSlot(bytes) : await this.#nextSlot();
      this.#current = slot;
    }
    const from = slot.used;
    slot.used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return new Uint8Array(slot.memory!, from, bytes);
  }

  /**
   * Has memory of `room`, or a piece of it, copied to a buffer; its submission may wait for what comes next.
   *
   * @param at a multiple of 4, as the bytes are
   */
  copy({ buffer, byteOffset, byteLength }: ArrayBufferView, to: GPUBuffer, at: number): void {
    const slot = this.#current;
    if (slot === undefined || slot.memory !== buffer) throw new Error('the memory is not of the last room');
    slot.copies.push({ from: byteOffset, to, at, bytes: byteLength });
  }

  /** Submits what was copied so far. */
  flush(): void {
    const slot = this.#current;
    if (slot === undefined) return;
    this.#current = undefined;
    const { buffer, copies } = slot;
    slot.memory = undefined;
    buffer.unmap();
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const { from, to, at, bytes } of copies) encoder.copyBufferToBuffer(buffer, from, to, at, bytes);
    this.#gpu.queue.submit([encoder.finish()]);
    copies.length = 0;
    slot.used = 0;
    if (!this.#slots.includes(slot)) {
      this.#gpu.free(buffer); // when the copies are done
      this.#large = this.#gpu.queue.onSubmittedWorkDone();
      return;
    }
    slot.mapped = buffer.mapAsync(GPUMapMode.WRITE).then(() => {
      slot.memory = buffer.getMappedRange();
    });
    slot.mapped.catch(() => undefined); // told to whoever waits for it
  }

  /**
   * Submits the rest and waits until all of it has arrived.
   *
   * @throws RidgepointError when the device is lost or an upload has failed
   */
  async drain(): Promise<void> {
    this.flush();
    await this.#safely(Promise.all(this.#slots.map(({ mapped }) => mapped)));
    await this.#safely(this.#gpu.queue.onSubmittedWorkDone());
    this.#gpu.check();
  }

  /** Lets go of the memory, whatever is under way. */
  destroy(): void {
    if (this.#current !== undefined) this.#gpu.free(this.#current.buffer);
    this.#current = undefined;
    for (const { buffer } of this.#slots) this.#gpu.free(buffer);
    this.#slots.length = 0;
  }

  #make(bytes: number): Slot {
    const buffer = this.#gpu.mappedBuffer('upload', bytes);
    return { buffer, memory: buffer.getMappedRange(), used: 0, mapped: Promise.resolve(), copies: [] };
  }

  /** One at a time. */
  async #ownSlot(bytes: number): Promise<Slot> {
    await this.#safely(this.#large);
    return this.#make(bytes);
  }

  async #nextSlot(): Promise<Slot> {
    const oldest = this.#slots[0] as Slot | undefined;
    if (oldest?.memory === undefined && this.#slots.length < this.#most) {
      const slot = this.#make(this.#slotBytes);
      this.#slots.push(slot);
      return slot;
    }
    this.#slots.push(this.#slots.shift()!);
    await this.#safely(oldest!.mapped);
    this.#gpu.check();
    return oldest!;
  }

  /** What a mapping comes to; the device's loss where that is why it failed or never comes. */
  async #safely(work: Promise<unknown>): Promise<void> {
    try {
      await Promise.race([work, this.#loss]);
    } catch (error) {
      this.#gpu.check();
      throw error;
    }
  }
}
