import { describeSampling } from '../../support/sampling-suite.js';

// Large workgroups with several loads a thread take CPU drivers long to compile.
describeSampling(true);
