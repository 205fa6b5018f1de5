import fc from 'fast-check';
import { scaled } from './scale.js';

// A property that does not say how often it is tried is tried as often as fast-check would, less in a quick run.
fc.configureGlobal({ numRuns: scaled(100, 25) });
