#!/usr/bin/env node
// Ridgepoint and its peers on one adapter, with the same weights, prompts and lengths.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Guard } from './guard.mjs';
import { toMarkdown } from './markdown.mjs';
import { promptOf, runRounds, warmUp } from './rounds.mjs';
import { summarize } from './summary.mjs';
import { EngineProcess } from './worker.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const repository = resolve(here, '../..');

const USAGE = `node bench/peers/run.mjs [options]
  --model NAME          tiny-tales (default), a preset such as tinyllama-1.1b (made-up weights), or a model folder
  --pairs N             rounds; every engine is measured once in each (5)
  --peers LIST          of node-llama-cpp (Vulkan), node-llama-cpp-cpu, transformers (all)
  --prompt N            prompt tokens of TTFT (512, or three quarters of a shorter context)
  --tokens N            tokens decoded for TPOT (32)
  --project FOLDER      root of the built Ridgepoint to measure (this one)
  --adapter NAME        part of the adapter's name for Ridgepoint (its own choice)
  --vulkan-device N     device for node-llama-cpp as ggml numbers them (0)
  --onnx-device NAME    webgpu or cpu, for transformers (webgpu)
  --cache FOLDER        where exported models are kept (${join(tmpdir(), 'ridgepoint-peers')})
  --out FOLDER          where the JSON and Markdown results go (bench/peers/results)
  --guard COMMAND       command that holds the machine during a measurement: "flock /tmp/quiet cat"`;

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny-tales' },
    pairs: { type: 'string', default: '5' },
    peers: { type: 'string', default: 'node-llama-cpp,node-llama-cpp-cpu,transformers' },
    prompt: { type: 'string' },
    tokens: { type: 'string', default: '32' },
    project: { type: 'string', default: repository },
    adapter: { type: 'string' },
    'vulkan-device': { type: 'string', default: '0' },
    'onnx-device': { type: 'string', default: 'webgpu' },
    cache: { type: 'string', default: join(tmpdir(), 'ridgepoint-peers') },
    out: { type: 'string', default: join(here, 'results') },
    guard: { type: 'string' },
    help: { type: 'boolean' },
  },
});

if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

const wholeNumber = (name, text) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 up, not ${text}`);
  return value;
};
const say = (text) => console.error(text);

/** Writes what is missing of the model in the formats the peers read. @returns the safetensors folder */
function exportModel(model, output, peers) {
  const main = join(repository, 'dist/bench/peers/export/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing; run "npm run build" in ${repository}`);
  const formats = [
    ...(peers.some((peer) => peer.startsWith('node-llama-cpp')) ? ['--gguf'] : []),
    ...(peers.includes('transformers') ? ['--onnx'] : []),
  ];
  return execFileSync(process.execPath, [main, model, output, ...formats], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}

function versionsOf(names, project) {
  const version = (path) => JSON.parse(readFileSync(path, 'utf8')).version;
  const installed = (name) => version(join(here, 'node_modules', name, 'package.json'));
  const of = {
    ridgepoint: () => `${version(join(project, 'package.json'))} (${commitOf(project)})`,
    'node-llama-cpp': () => installed('node-llama-cpp'),
    'node-llama-cpp-cpu': () => installed('node-llama-cpp'),
    transformers: () => `${installed('@huggingface/transformers')}, onnxruntime-node ${installed('onnxruntime-node')}`,
  };
  return Object.fromEntries(names.map((name) => [name, of[name]()]));
}

function commitOf(folder) {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: folder, encoding: 'utf8' }).trim();
  } catch {
    return 'no commit';
  }
}

const embedded = join(repository, 'models', options.model);
const model = existsSync(embedded) ? embedded : options.model;
const name = basename(model);
const peers = options.peers.split(',').filter((peer) => peer !== '');
const names = ['ridgepoint', ...peers];
const output = join(resolve(options.cache), name);
process.env.GGML_VK_VISIBLE_DEVICES = options['vulkan-device'];

say(`exporting ${name} to ${output}`);
const checkpoint = exportModel(model, output, peers);
const config = JSON.parse(readFileSync(join(checkpoint, 'config.json'), 'utf8'));
const promptTokens = wholeNumber('prompt', options.prompt ?? Math.min(512, (config.max_position_embeddings * 3) / 4));
const decodeTokens = Math.max(2, wholeNumber('tokens', options.tokens));
const shortTokens = Math.min(16, promptTokens);
const rounds = wholeNumber('pairs', options.pairs);
const plan = {
  longPrompt: promptOf(promptTokens, config.vocab_size),
  shortPrompt: promptOf(shortTokens, config.vocab_size),
  decodeTokens,
};
const settings = {
  project: resolve(options.project),
  checkpoint,
  gguf: join(output, 'model.gguf'),
  onnx: output,
  onnxDevice: options['onnx-device'],
  adapter: options.adapter,
  contextLength: Math.min(config.max_position_embeddings, promptTokens + Math.max(decodeTokens + shortTokens, 64)),
  prefillChunk: 512,
};

const versions = versionsOf(names, settings.project); // as they are now, whatever is built meanwhile
const date = new Date().toISOString().slice(0, 10);

function resultOf(measured) {
  return {
    date,
    model: { name, weights: checkpoint === output ? 'made-up' : 'trained' },
    machine: { cpu: cpus()[0].model, threads: cpus().length, node: process.version },
    versions,
    plan: { rounds: measured.length, promptTokens, shortTokens, decodeTokens, prefillChunk: settings.prefillChunk },
    engines: info,
    summary: summarize(measured),
    rounds: measured,
  };
}

/** @returns the Markdown that was written */
function save(result) {
  mkdirSync(options.out, { recursive: true });
  const base = join(options.out, `${name}-${date}`);
  writeFileSync(`${base}.json`, `${JSON.stringify(result, undefined, 2)}\n`);
  const markdown = toMarkdown(result);
  writeFileSync(`${base}.md`, markdown);
  return markdown;
}

/** ONNX Runtime does not say what it runs on; llama.cpp on Vulkan does. */
function refuseOtherAdapter(engine) {
  const [ours, theirs] = [info.ridgepoint.adapter, info[engine].adapter];
  if (engine !== 'node-llama-cpp' || ours === theirs) return;
  throw new Error(`Ridgepoint runs on ${ours}, ${engine} on ${theirs}; choose with --adapter and --vulkan-device`);
}

const guard = new Guard(options.guard);
const engines = [];
const info = {};
try {
  for (const engine of names) {
    const running = { name: engine, process: new EngineProcess(engine, settings) };
    engines.push(running);
    info[engine] = await running.process.ready();
    say(`${engine}: ${info[engine].adapter}; ${info[engine].backend}; warming up`);
    refuseOtherAdapter(engine);
    await warmUp(running, plan, guard);
  }
  const onMeasured = (round, engine, { ttftMs, tpotMs }) => {
    say(`round ${round + 1} of ${rounds}: ${engine} TTFT ${ttftMs.toFixed(1)} ms, TPOT ${tpotMs.toFixed(2)} ms`);
  };
  const measured = [];
  let markdown;
  for await (const round of runRounds(engines, plan, rounds, guard, onMeasured)) {
    measured.push(round);
    markdown = save(resultOf(measured)); // a run of an hour that is broken off has its whole rounds
  }
  console.log(markdown);
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await guard.release();
  for (const engine of engines) engine.process.stop();
}
