// The paged cache of one layer: [block][kv head][16 tokens][HDP] numbers, keys and values in buffers of their own.
// HDP is head_dim rounded up to 8; the columns from head_dim on are zero.
fn kv_row(table_from: u32, token: u32, head: u32) -> u32 {
  let block = block_tables[table_from + token / BLOCK_TOKENS];
  return (block * KV_HEADS + head) * BLOCK_TOKENS + token % BLOCK_TOKENS;
}
//#if kv_f32
fn load_key(row: u32, i: u32) -> Eight {
  let at = row * (HDP / 4u) + 2u * i;
  return Eight(keys[at], keys[at + 1u]);
}
fn load_value(row: u32, pair: u32) -> vec2<f32> { return values[row * (HDP / 2u) + pair]; }
//#else
fn load_key(row: u32, i: u32) -> Eight { return unpack_f16(keys[row * (HDP / 8u) + i]); }
fn load_value(row: u32, pair: u32) -> vec2<f32> { return unpack2x16float(values[row * (HDP / 2u) + pair]); }
//#endif
