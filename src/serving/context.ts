import type { TextEngine } from '../engine/api.js';
import type { Admission } from './http/admission.js';
import type { Lifetimes } from './http/lifetime.js';
import type { ChatPlanner } from './mapping/chat-plan.js';
import type { Grammars } from './mapping/grammars.js';
import type { PromptReader } from './mapping/prompt.js';
import type { Metrics } from './metrics.js';
import type { Outlook } from './outlook/outlook.js';
import type { ModelNames } from './models.js';

/** What the routes share. */
export interface ServingContext {
  readonly engine: TextEngine;
  readonly models: ModelNames;
  readonly prompts: PromptReader;
  readonly grammars: Grammars;
  readonly chats: ChatPlanner;
  readonly admission: Admission;
  readonly lifetimes: Lifetimes;
  readonly metrics: Metrics;
  /** What is expected of the engine; undefined where it tells nothing of its scheduling. */
  readonly outlook: Outlook | undefined;
  /** How long a reader may take nothing before it is cut off. */
  readonly stallMs: number;
  /** Longest silence of a stream before a comment is sent; 0 allows any. */
  readonly keepAliveMs: number;
}
