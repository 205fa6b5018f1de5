import { ceilingsOf } from '../../../../bench/context.js';
import { hostOf, knownCalibration, recordContext } from '../../../../bench/environment.js';
import { PaceLog } from '../../../../bench/pace/log.js';
import type { BenchPlace } from '../../../../bench/session.js';
import { readCapabilities } from '../../../gpu/capabilities.js';
import { nodeHost } from '../../../platform/node/host.js';
import { loadEngine } from '../../load.js';

/** This process and its adapter, for a benchmark. @param tell whether loading may say something */
export const nodePlace = (name: string | undefined, tell: boolean): BenchPlace => ({
  async runsOnCpu() {
    const { adapter, languageFeatures } = await nodeHost.openGpu(name);
    return readCapabilities(adapter, languageFeatures).isCpu;
  },
  load: (options) => loadEngine(options, tell),
  async describe(info) {
    const known = await knownCalibration(info);
    const ceilings = known && ceilingsOf(known);
    return { context: await recordContext(info), host: hostOf(), ...(ceilings && { ceilings }) };
  },
  openPace: () => PaceLog.open(nodeHost, name),
});
