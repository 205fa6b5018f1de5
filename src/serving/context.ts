import type { TextEngine } from '../engine/api.js';
import type { Admission } from './http/admission.js';
import type { Lifetimes } from './http/lifetime.js';
import type { ResponseFormats } from './mapping/constraint.js';
import type { PromptReader } from './mapping/prompt.js';
import type { Metrics } from './metrics.js';
import type { ModelNames } from './models.js';

/** What the routes share. */
export interface ServingContext {
  readonly engine: TextEngine;
  readonly models: ModelNames;
  readonly prompts: PromptReader;
  readonly formats: ResponseFormats;
  readonly admission: Admission;
  readonly lifetimes: Lifetimes;
  readonly metrics: Metrics;
  /** How long a reader may take nothing before it is cut off. */
  readonly stallMs: number;
  /** Longest silence of a stream before a comment is sent; 0 allows any. */
  readonly keepAliveMs: number;
}
