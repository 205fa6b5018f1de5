import type { Capabilities } from '../gpu/capabilities.js';
import type { MatmulVariant } from './matmul.js';
import type { WeightLayout } from './weights.js';

export function packedMatrixVariants(_layout: WeightLayout, _capabilities: Capabilities): MatmulVariant[] {
  return [];
}
