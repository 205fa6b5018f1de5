//#include common/kv_row.wgsl
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
