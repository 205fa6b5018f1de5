//#include common/kv_words.wgsl
//#include common/unpack.wgsl
// Keys and values of the paged cache (kv_row.wgsl) by eight columns, each by the widest load there is. Of int8 they are
// quants: who reads them multiplies scores by the key's scale and weights by the value's.
//#if kv_f32
@group(0) @binding(5) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> values: array<vec4<f32>>;
alias Stored = Eight;
fn key_at(row: u32, eighth: u32) -> Stored {
  let at = row * (HDP / 4u) + 2u * eighth;
  return Eight(keys[at], keys[at + 1u]);
}
fn value_at(row: u32, eighth: u32) -> Stored {
  let at = row * (HDP / 4u) + 2u * eighth;
  return Eight(values[at], values[at + 1u]);
}
fn eight_of(stored: Stored) -> Eight { return stored; }
//#elif kv_int8
@group(0) @binding(5) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> values: array<vec2<u32>>;
alias Stored = vec2<u32>;
fn key_at(row: u32, eighth: u32) -> Stored { return keys[quant_words(row) / 2u + eighth]; }
fn value_at(row: u32, eighth: u32) -> Stored { return values[quant_words(row) / 2u + eighth]; }
fn eight_of(stored: Stored) -> Eight {
  return Eight(vec4<f32>(unpack4xI8(stored.x)), vec4<f32>(unpack4xI8(stored.y)));
}
fn key_scale(row: u32) -> f32 { return bitcast<f32>(keys[scale_word(row) / 2u][scale_word(row) % 2u]); }
fn value_scale(row: u32) -> f32 { return bitcast<f32>(values[scale_word(row) / 2u][scale_word(row) % 2u]); }
//#else
@group(0) @binding(5) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> values: array<vec4<u32>>;
alias Stored = vec4<u32>;
fn key_at(row: u32, eighth: u32) -> Stored { return keys[row * (HDP / 8u) + eighth]; }
fn value_at(row: u32, eighth: u32) -> Stored { return values[row * (HDP / 8u) + eighth]; }
fn eight_of(stored: Stored) -> Eight { return unpack_f16(stored); }
//#endif
