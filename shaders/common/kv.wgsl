// The paged cache of one layer: [block][kv head][16 tokens][HDP] numbers, keys and values in buffers of their own.
// HDP is head_dim rounded up to 8; the columns from head_dim on are zero.
fn kv_row(table_from: u32, token: u32, head: u32) -> u32 {
  let block = block_tables[table_from + token / BLOCK_TOKENS];
  return (block * KV_HEADS + head) * BLOCK_TOKENS + token % BLOCK_TOKENS;
}
// Eight columns of a key, or one pair of them.
//#if kv_f32
alias PackedKey = Eight;
fn load_key_packed(row: u32, i: u32) -> PackedKey {
  let at = row * (HDP / 4u) + 2u * i;
  return Eight(keys[at], keys[at + 1u]);
}
fn unpack_key_pair(p: PackedKey, i: u32) -> vec2<f32> {
  let half = select(p.hi, p.lo, i < 2u);
  return select(half.zw, half.xy, i % 2u == 0u);
}
fn load_key(row: u32, i: u32) -> Eight { return load_key_packed(row, i); }
fn load_value(row: u32, pair: u32) -> vec2<f32> { return values[row * (HDP / 2u) + pair]; }
//#else
alias PackedKey = vec4<u32>;
fn load_key_packed(row: u32, i: u32) -> PackedKey { return keys[row * (HDP / 8u) + i]; }
fn unpack_key_pair(p: PackedKey, i: u32) -> vec2<f32> { return unpack2x16float(p[i]); }
fn load_key(row: u32, i: u32) -> Eight { return unpack_f16(load_key_packed(row, i)); }
fn load_value(row: u32, pair: u32) -> vec2<f32> { return unpack2x16float(values[row * (HDP / 2u) + pair]); }
//#endif
