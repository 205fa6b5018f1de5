import type { Command } from '@commander-js/extra-typings';

/** A command in the list of all, which is shown without the code of any. */
export interface CommandEntry {
  readonly name: string;
  /** What stands behind the name in the list of commands. */
  readonly takes: string;
  readonly summary: string;
  readonly load: () => Promise<{ declare(command: Command): void }>;
}

/** Every command, in the order of the help. Its declaration is loaded when it is asked for, its code when it runs. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'generate',
    takes: '[options] [prompt]',
    summary: 'continue a prompt',
    load: () => import('./generate/command.js'),
  },
  { name: 'chat', takes: '[options]', summary: 'talk with a chat model', load: () => import('./chat/command.js') },
  {
    name: 'serve',
    takes: '[options]',
    summary: 'serve a model over HTTP, as OpenAI’s API',
    load: () => import('./serve/command.js'),
  },
  {
    name: 'web',
    takes: '[options]',
    summary: 'a page that runs a model in the browser',
    load: () => import('./web/command.js'),
  },
  {
    name: 'worker',
    takes: '[options]',
    summary: 'run a model for a router or a server elsewhere',
    load: () => import('./worker/command.js'),
  },
  {
    name: 'router',
    takes: '[options]',
    summary: 'serve a model that workers run',
    load: () => import('./router/command.js'),
  },
  {
    name: 'cluster',
    takes: '[options]',
    summary: 'run workers and a router on this machine',
    load: () => import('./cluster/command.js'),
  },
  {
    name: 'drain',
    takes: '[options] <worker...>',
    summary: 'have workers finish what they have, and end',
    load: () => import('./drain/command.js'),
  },
  {
    name: 'explain',
    takes: '[options] <request>',
    summary: 'say where the time of a request to a server went',
    load: () => import('./explain/command.js'),
  },
  {
    name: 'devices',
    takes: '[options]',
    summary: 'list adapters and what the engine uses of them',
    load: () => import('./devices/command.js'),
  },
  {
    name: 'calibrate',
    takes: '[options]',
    summary: 'measure what this adapter can do, for predictions',
    load: () => import('./calibrate/command.js'),
  },
  {
    name: 'evaluate',
    takes: '[options] [file]',
    summary: 'measure what a precision costs in accuracy',
    load: () => import('./evaluate/command.js'),
  },
  {
    name: 'quantize',
    takes: '[options] <model> <folder>',
    summary: 'save a checkpoint with fewer bits a weight',
    load: () => import('./quantize/command.js'),
  },
  {
    name: 'tune',
    takes: '[options]',
    summary: 'choose the fastest kernels for this adapter',
    load: () => import('./tune/command.js'),
  },
  {
    name: 'ledger',
    takes: '[options]',
    summary: 'public measurements beside our predictions',
    load: () => import('./ledger/command.js'),
  },
  {
    name: 'import',
    takes: '[options] <file>',
    summary: 'make ledger rows of a benchmark’s result',
    load: () => import('./import/command.js'),
  },
  {
    name: 'seeds',
    takes: '[options]',
    summary: 'published numbers beside ours',
    load: () => import('./seeds/command.js'),
  },
  {
    name: 'simulate',
    takes: '',
    summary: 'simulate serving on machines that are not there',
    load: () => import('./simulate/command.js'),
  },
  {
    name: 'predict',
    takes: '[options]',
    summary: 'predict latency and memory on any hardware',
    load: () => import('./predict/command.js'),
  },
  {
    name: 'bench',
    takes: '[options]',
    summary: 'measure prefill and decode',
    load: () => import('./bench/command.js'),
  },
  {
    name: 'compare',
    takes: '[options] [result] [others...]',
    summary: 'measured beside predicted',
    load: () => import('./compare/command.js'),
  },
  {
    name: 'profile',
    takes: '[options]',
    summary: 'trace of a prefill and some decode steps',
    load: () => import('./profile/command.js'),
  },
];
