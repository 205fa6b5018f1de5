import { describeSampling } from '../../support/sampling-suite.js';

describeSampling(false);
