import { afterEach, describe, expect, it, vi } from 'vitest';
import { downloadFile } from '../../src/platform/browser/models/download.js';
import { sourceOfFolder } from '../../src/platform/browser/models/folder-source.js';
import { FileListFolder, PickedFolder } from '../../src/platform/browser/models/picked.js';

/** An origin's private folder with so much room, as a worker sees it. */
class Disk {
  room: number;
  readonly #files = new Map<string, Uint8Array>();

  constructor(room: number) {
    this.room = room;
  }

  get folder(): FileSystemDirectoryHandle {
    const getFileHandle = (name: string, { create = false } = {}): Promise<unknown> => {
      if (!create && !this.#files.has(name)) return Promise.reject(new DOMException('', 'NotFoundError'));
      return Promise.resolve({
        getFile: () => Promise.resolve(new Blob([this.#of(name)] as BlobPart[])),
        createSyncAccessHandle: () => Promise.resolve(this.#opened(name)),
      });
    };
    return { getFileHandle } as unknown as FileSystemDirectoryHandle;
  }

  sizeOf(name: string): number {
    return this.#of(name).length;
  }

  #of(name: string): Uint8Array {
    return this.#files.get(name) ?? new Uint8Array(0);
  }

  #opened(name: string): object {
    const resize = (size: number): void => {
      const longer = new Uint8Array(size);
      longer.set(this.#of(name).subarray(0, size));
      this.#files.set(name, longer);
    };
    return {
      getSize: () => this.sizeOf(name),
      read: (into: Uint8Array, { at }: { at: number }) => {
        const bytes = this.#of(name).subarray(at, at + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const end = at + bytes.length;
        if (end > this.room) throw new DOMException('no room', 'QuotaExceededError');
        if (end > this.sizeOf(name)) resize(end);
        this.#of(name).set(bytes, at);
        return bytes.length;
      },
      truncate: resize,
      flush: () => undefined,
      close: () => undefined,
    };
  }
}

const MIB = 2 ** 20;

/** A file of a server's that can be had from any place on. */
interface Served {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** After which the connection is cut. */
  readonly most?: number;
  readonly etag?: string;
}

/** Answers each request with the next of a file's versions, or the last; says from where it was asked for. */
function serve(...versions: readonly Served[]): number[] {
  const asked: number[] = [];
  vi.stubGlobal('fetch', (_url: string, { headers }: { headers: Record<string, string> }) => {
    const { bytes, most = Infinity, etag = '"one"' } = versions[Math.min(asked.length, versions.length - 1)];
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    asked.push(from);
    if (from >= bytes.length) return Promise.resolve(new Response('', { status: 416 }));
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        if (at - from >= most) return stream.error(new TypeError('cut'));
        stream.enqueue(bytes.subarray(at, (at += MIB)));
        if (at >= bytes.length) stream.close();
      },
    });
    const length = String(bytes.length - from);
    return Promise.resolve(
      new Response(body, { status: from > 0 ? 206 : 200, headers: { etag, 'content-length': length } }),
    );
  });
  return asked;
}

/** As many MiB, of a seed. */
const some = (mib: number, seed: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(mib * MIB).map((_, i) => (seed * i) % 251);
const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');

afterEach(() => void vi.unstubAllGlobals());

describe('disk space that runs out on the way', () => {
  it('leaves the part that is there, says what can be done, and is gone on from when there is room', async () => {
    const bytes = some(5, 1);
    const asked = serve({ bytes });
    const disk = new Disk(3 * MIB + 5);
    const file = { name: 'model.safetensors', url: 'http://hub.test/model.safetensors' };
    const download = () => downloadFile(disk.folder, file, { onBytes: () => undefined });
    await expect(download()).rejects.toThrow(
      'model.safetensors: the disk space that the browser gives this site ran out after 3 MiB, which are kept; delete stored models, or load with store: false',
    );
    expect(disk.sizeOf(file.name)).toBe(3 * MIB);
    disk.room = 8 * MIB;
    expect(await download()).toEqual({ etag: '"one"', size: bytes.length, sha256: await sha256(bytes) });
    expect(asked).toEqual([0, 3 * MIB]);
  });
});

describe('a file of which nothing is listed', () => {
  const file = { name: 'model.safetensors', url: 'http://hub.test/model.safetensors' };
  const [old, short, young] = [some(5, 1), some(2, 2), some(4, 3)];
  const cut = { bytes: old, most: 3 * MIB };

  it.each<[string, Served, number[]]>([
    ['under another entity tag', { bytes: young, etag: '"two"' }, [0, 3 * MIB, 0]],
    ['of another size under the same', { bytes: young }, [0, 3 * MIB, 0]],
    ['shorter than what there is of it', { bytes: short }, [0, 3 * MIB, 0]],
  ])('is begun anew where the rest comes %s, and not spliced', async (_, next, requests) => {
    const disk = new Disk(8 * MIB);
    const asked = serve(cut, next);
    const state = await downloadFile(disk.folder, file, { onBytes: () => undefined });
    expect(state).toMatchObject({ size: next.bytes.length, sha256: await sha256(next.bytes) });
    expect(disk.sizeOf(file.name)).toBe(next.bytes.length);
    expect(asked).toEqual(requests);
  });

  it('is given up where it is another each time', async () => {
    const disk = new Disk(8 * MIB);
    const versions = Array.from({ length: 20 }, (_, i) => ({ bytes: short, most: MIB, etag: `"${i}"` }));
    const asked = serve(...versions);
    await expect(downloadFile(disk.folder, file, { onBytes: () => undefined })).rejects.toThrow(
      'http://hub.test/model.safetensors: is another file each time; try again later',
    );
    expect(asked.length).toBeLessThan(12);
    expect(disk.sizeOf(file.name)).toBe(0);
  });
});

describe('a folder that was picked', () => {
  const refusing = (name: string): PickedFolder => {
    const refuse = () => Promise.reject(new DOMException('no', name));
    const values = () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) });
    return new PickedFolder({ name: 'mine', getFileHandle: refuse, values } as unknown as FileSystemDirectoryHandle);
  };

  it.each([
    ['NotAllowedError', 'mine: the permission to read it has lapsed; pick the folder again'],
    ['NotFoundError', 'mine: it was moved or deleted; pick the folder again'],
    ['InvalidStateError', 'mine: it cannot be read (no); pick the folder again'],
  ])('and gives %s is to be picked again', async (name, message) => {
    await expect(sourceOfFolder(refusing(name))).rejects.toThrow(message);
  });

  it('is told what it is where it is an ONNX model', async () => {
    const files = new FileListFolder([{ path: 'picked/model.onnx', file: new File(['x'], 'model.onnx') }]);
    await expect(sourceOfFolder(files)).rejects.toThrow(
      /holds no config\.json; it holds model\.onnx; ONNX is not supported, give the safetensors/,
    );
  });
});
