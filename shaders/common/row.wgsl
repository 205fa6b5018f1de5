// One row of activations: one token of one sequence.
struct Row {
  token: u32,     // token id, or TOKEN_FROM_SLOT: take what the sampler left for this sequence
  position: u32,  // 0-based position in the sequence
  slot: u32,      // which block table and sampler state
  kv_index: u32,  // block * 16 + offset: where this token's key and value go
}
const TOKEN_FROM_SLOT: u32 = 0xffffffffu;
const BLOCK_TOKENS: u32 = 16u;
