// What HTTP costs a token: microseconds of processor time of the whole server process, less that of the same generations
// without a server. Several trees take turns, so that a drift of the machine falls on all alike.
//
//   node bench/http/main.mjs [TREE …]    default this one; each with its packages installed, or a bundle made before
//   ROUNDS=7 ONLY=chats
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const TOKENS = 400;
const tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } };
const messages = [{ role: 'user', content: 'Hi' }];
const CASES = {
  completions: ['/v1/completions', { prompt: 'Hi', max_tokens: TOKENS, stream: true }],
  chats: ['/v1/chat/completions', { messages, max_tokens: TOKENS, stream: true }],
  'chats with tools': ['/v1/chat/completions', { messages, tools: [tool], max_tokens: TOKENS, stream: true }],
  responses: ['/v1/responses', { input: 'Hi', max_output_tokens: TOKENS, stream: true, store: false }],
  messages: ['/v1/messages', { messages, max_tokens: TOKENS, stream: true }],
  'whole answers': ['/v1/completions', { prompt: 'Hi', max_tokens: TOKENS }],
};
const STREAMS = [1, 16];

async function bundle(tree) {
  if (tree.endsWith('.mjs')) return tree;
  const outfile = join(tree, 'node_modules', '.cache', 'ridgepoint-http-cost.mjs');
  await mkdir(join(outfile, '..'), { recursive: true });
  // Trees from before there were two rooms of it have it in the other.
  const room = existsSync(join(tree, 'src', 'server', 'server.ts')) ? 'server' : 'serving';
  const contents = `export { InferenceServer } from './src/${room}/server.ts';
    export { compileGrammar } from './src/grammar/index.ts';`;
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };
  await build({ ...options, stdin: { contents, resolveDir: tree, loader: 'ts' }, outfile });
  return outfile;
}

async function open(tree) {
  const child = fork(join(import.meta.dirname, 'server.mjs'), [await bundle(tree)]);
  const [{ port }] = await once(child, 'message');
  return { tree, child, port };
}

async function ask(child, message) {
  child.send(message);
  const [{ user, system }] = await once(child, 'message');
  return user + system;
}

/** One request on a connection of its own, read and thrown away. */
function request(port, [path, body]) {
  const text = JSON.stringify(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`;
  return new Promise((resolve, reject) => {
    let start = '';
    const socket = connect(port, '127.0.0.1').on('error', reject);
    socket.on('data', (data) => (start ||= data.toString('latin1', 0, 15)));
    socket.on('close', () => (start === 'HTTP/1.1 200 OK' ? resolve() : reject(new Error(start))));
    socket.write(`${head}\r\n\r\n${text}`);
  });
}

/** Undefined where the tree has no such endpoint. */
async function measured(server, what, streams) {
  return request(server.port, what).then(
    () => measure(server, what, streams),
    () => undefined,
  );
}

async function measure({ child, port }, what, streams) {
  const before = await ask(child, 'cpu');
  const turns = Math.ceil(16 / streams);
  for (let turn = 0; turn < turns; turn++) {
    await Promise.all(Array.from({ length: streams }, () => request(port, what)));
  }
  const spent = (await ask(child, 'cpu')) - before;
  let bare = 0;
  for (let turn = 0; turn < turns; turn++) bare += await ask(child, { streams, tokens: TOKENS });
  return (spent - bare) / (turns * streams * TOKENS);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const trees = process.argv.slice(2).map((tree) => resolve(tree));
if (trees.length === 0) trees.push(join(import.meta.dirname, '..', '..'));
const servers = [];
for (const tree of trees) servers.push(await open(tree));
console.log(['us of CPU a token', 'streams', ...trees].join(' | '));
for (const [name, what] of Object.entries(CASES)) {
  if (!name.includes(process.env.ONLY ?? '')) continue;
  for (const streams of STREAMS) {
    const found = servers.map(() => []);
    for (let round = -1; round < ROUNDS; round++) {
      for (const [at, server] of servers.entries()) {
        const spent = await measured(server, what, streams);
        if (round >= 0 && spent !== undefined) found[at].push(spent);
      }
    }
    console.log([name, streams, ...found.map((own) => median(own)?.toFixed(1) ?? '–')].join(' | '));
  }
}
for (const { child } of servers) child.kill();
