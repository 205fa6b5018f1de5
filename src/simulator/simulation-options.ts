import type { RequestTrace } from './request.js';

/** How a simulation is run. */
export interface SimulationOptions {
  /** Of what is drawn while it runs, which is random routing; default 0. */
  readonly seed?: number;
  /** Whether the time of every token can be asked for; default true. */
  readonly keepTokens?: boolean;
  /** Called when a request has completed or was given up, while the time of every token of it can be asked for. */
  readonly onEnd?: (trace: RequestTrace) => void;
  /** Whether stretches of decoding are taken in one go; default true, and what comes out is the same. */
  readonly stretches?: boolean;
  /** Whether every step and every transfer is kept; each is then taken by itself. Default false. */
  readonly keepSteps?: boolean;
}
