// What changes from step to step. One upload a step; the head is bound as a uniform, the lists as storage.
struct Step {
  tokens: u32,        // rows of activations in this step
  decode_rows: u32,   // the first rows, generated tokens
  tiles: u32,         // tiles of prefill queries
  logit_rows: u32,    // rows whose logits are wanted
  splits: u32,        // parts the longest context of a decode row is cut into
  split_tokens: u32,  // tokens in a part, a multiple of 64, the same in every step
  blocks_per_slot: u32, // length of one block table
  reserved: u32,
}
