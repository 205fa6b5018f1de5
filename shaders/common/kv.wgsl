//#include common/kv_row.wgsl
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
