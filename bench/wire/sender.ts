// The sending half of a measured connection, in a process of its own: says its port, and what each transfer took.
import type { AddressInfo } from 'node:net';
import { FrameReader, type FrameHead } from '../../src/cluster/frame.js';
import { wireServer } from '../../src/platform/node/wire/connection.js';
import { crc, jsonBytes, send } from '../../src/platform/node/wire/hello.js';
import { PromptStreams } from '../../src/platform/node/wire/prompt-streams.js';
import { cpuMs, madeUp, pieces } from './made-up.js';

const streams = new PromptStreams({ kv: { prefill: pieces } });
const { server } = wireServer(
  undefined,
  (socket) => {
    const reader = new FrameReader(crc);
    let visitor: ReturnType<PromptStreams['visitor']> | undefined;
    const take = async (head: FrameHead, payload: Uint8Array): Promise<void> => {
      if (visitor !== undefined) return visitor.take(head, payload);
      visitor = streams.visitor(socket);
      send(
        socket,
        { type: 'hello', stream: 0 },
        jsonBytes({ layout: await madeUp.layout(), numerics: madeUp.numerics() }),
      );
    };
    socket.on('data', (bytes) => reader.push(bytes, (head, payload) => void take(head, payload)));
    socket.on('close', () => visitor?.closed());
  },
  () => undefined,
);
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));

let before = process.cpuUsage();
// Asked before and after each transfer.
process.on('message', () => {
  process.send!({ cpuMs: cpuMs(before) });
  before = process.cpuUsage();
});
process.on('disconnect', () => process.exit(0));
