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

/** A file of a server's that can be had from any place on; says from where it was asked for. */
function serve(bytes: Uint8Array<ArrayBuffer>): number[] {
  const asked: number[] = [];
  vi.stubGlobal('fetch', (_url: string, { headers }: { headers: Record<string, string> }) => {
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    asked.push(from);
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        stream.enqueue(bytes.subarray(at, (at += MIB)));
        if (at >= bytes.length) stream.close();
      },
    });
    const length = String(bytes.length - from);
    return Promise.resolve(
      new Response(body, { status: from > 0 ? 206 : 200, headers: { etag: '"one"', 'content-length': length } }),
    );
  });
  return asked;
}

afterEach(() => void vi.unstubAllGlobals());

describe('disk space that runs out on the way', () => {
  it('leaves the part that is there, says what can be done, and is gone on from when there is room', async () => {
    const bytes = new Uint8Array(5 * MIB).map((_, i) => i % 251);
    const asked = serve(bytes);
    const disk = new Disk(3 * MIB + 5);
    const file = { name: 'model.safetensors', url: 'http://hub.test/model.safetensors' };
    const download = () => downloadFile(disk.folder, file, { onBytes: () => undefined });
    await expect(download()).rejects.toThrow(
      'model.safetensors: the disk space that the browser gives this site ran out after 3 MiB, which are kept; delete stored models, or load with store: false',
    );
    expect(disk.sizeOf(file.name)).toBe(3 * MIB);
    disk.room = 8 * MIB;
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
    expect(await download()).toEqual({ etag: '"one"', size: bytes.length, sha256: digest });
    expect(asked).toEqual([0, 3 * MIB]);
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
