// The paged cache of one layer: [block][kv head][16 tokens][HDP] numbers, keys and values in buffers of their own.
// HDP is head_dim rounded up to 8; the columns from head_dim on are zero.
//#include common/kv_words.wgsl
fn kv_row(table_from: u32, token: u32, head: u32) -> u32 {
  let block = block_tables[table_from + token / BLOCK_TOKENS];
  return (block * KV_HEADS + head) * BLOCK_TOKENS + token % BLOCK_TOKENS;
}
