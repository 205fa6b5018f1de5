import type { TextEngine } from '../engine/api.js';
import type { Slo } from '../outlook/promises.js';
import type { ToolFormatName } from '../tools/index.js';
import type { GrammarCompiler } from './engine.js';
import { Admission } from './http/admission.js';
import { ChatPlanner } from './mapping/chat-plan.js';
import { Grammars } from './mapping/grammars.js';
import { PromptReader } from './mapping/prompt.js';
import { ResponsesStore } from './responses-store.js';
import { ModelNames } from './models.js';
import type { Counters, OutlookCounters } from './observer.js';
import type { Machine } from './outlook/machine.js';
import { Outlook } from './outlook/outlook.js';

/** What an API over an engine is asked to be like, wherever it is served. */
export interface ApiOptions {
  readonly engine: TextEngine;
  /** Names the model is served under; default the engine's own. */
  readonly modelNames?: readonly string[];
  /** Choices that may run, wait or be delivered together; default 264. */
  readonly capacity?: number;
  /** Compiles the forms that answers are to have; without it only text can be had, and no tools. */
  readonly compileGrammar?: GrammarCompiler;
  /** How the model writes calls of tools; default as its chat template has it. */
  readonly toolFormat?: ToolFormatName;
  /** What is known of the machine that the engine's steps run on; default what they teach. */
  readonly machine?: Machine;
  /** What requests are promised that do not say; default nothing. */
  readonly slo?: Slo;
  /** What became of requests that are kept. */
  readonly kept?: KeptAnswers;
  /** Responses that others may go on from; default a store of its own. */
  readonly responses?: ResponsesStore;
}

/** Answers that outlive the connections of those who asked for them. */
export interface KeptAnswers {
  /** @returns undefined for a request that is not known; no answer where there is none yet */
  find(
    id: string,
  ): Promise<{ readonly answer: { readonly status: number; readonly body: unknown } | undefined } | undefined>;
}

/** What the routes share. */
export interface ServingContext {
  readonly engine: TextEngine;
  readonly models: ModelNames;
  readonly prompts: PromptReader;
  readonly grammars: Grammars;
  readonly chats: ChatPlanner;
  readonly admission: Admission;
  readonly metrics: Counters;
  /** What is expected of the engine; undefined where it tells nothing of its scheduling. */
  readonly outlook: Outlook | undefined;
  readonly kept: KeptAnswers | undefined;
  readonly responses: ResponsesStore;
  /** Longest silence of a stream before a comment is sent; 0 allows any. */
  readonly keepAliveMs: number;
}

/** Those who count. */
export interface Counting {
  readonly metrics: Counters;
  readonly expected: OutlookCounters;
}

export const modelsOf = ({ engine, modelNames }: ApiOptions): ModelNames =>
  new ModelNames(engine.info.model, modelNames);

export const admissionOf = ({ capacity }: ApiOptions): Admission => new Admission(capacity ?? 264);

/** @param told what exists already */
export function createContext(
  options: ApiOptions,
  { metrics, expected }: Counting,
  told: Pick<ServingContext, 'models' | 'admission' | 'keepAliveMs'>,
): ServingContext {
  const { engine } = options;
  const { scheduling } = engine;
  const prompts = new PromptReader(engine);
  return {
    ...told,
    engine,
    metrics,
    prompts,
    kept: options.kept,
    responses: options.responses ?? new ResponsesStore(),
    outlook: scheduling && new Outlook(scheduling, options.machine ?? {}, expected, options.slo),
    grammars: new Grammars(options.compileGrammar, engine.vocabulary),
    chats: new ChatPlanner(engine, prompts, options.toolFormat),
  };
}
