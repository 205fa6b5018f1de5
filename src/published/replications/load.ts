import { resampled, type RequestLengths } from '../../simulator/load.js';
import type { SimulatedRequest } from '../../simulator/request.js';
import { syntheticTrace, type Service } from '../../traffic/synthetic.js';

/** Requests with exponential gaps and lengths like those of one of Azure's services, which no file is needed for. */
export function syntheticLoad(service: Service, rate: number, seconds: number, seed = 0): SimulatedRequest[] {
  const lengths: readonly RequestLengths[] = syntheticTrace(service, 20_000, seed);
  return resampled(lengths, { rate, seconds, seed });
}
