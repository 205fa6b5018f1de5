/** The engine's policies, in the order they are compared. */
export const POLICY_NAMES = ['prefill-first', 'chunked', 'decode-priority', 'static'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];
