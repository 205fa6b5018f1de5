//#include attention/kv_row.wgsl
// Eight columns of a key, or one pair of them, and a pair of a value. Of int8 they are quants: who reads them multiplies
// scores by the key's scale and weights by the value's.
//#if kv_f32
@group(0) @binding(5) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> values: array<vec2<f32>>;
alias KeyUnit = Eight;
fn load_key_unit(row: u32, i: u32) -> KeyUnit {
  let at = row * (HDP / 4u) + 2u * i;
  return Eight(keys[at], keys[at + 1u]);
}
fn unpack_key_pair(p: KeyUnit, i: u32) -> vec2<f32> {
  let half = select(p.hi, p.lo, i < 2u);
  return select(half.zw, half.xy, i % 2u == 0u);
}
fn load_key(row: u32, i: u32) -> Eight { return load_key_unit(row, i); }
fn load_value(row: u32, pair: u32) -> vec2<f32> { return values[row * (HDP / 2u) + pair]; }
//#elif kv_int8
@group(0) @binding(5) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> values: array<u32>;
alias KeyUnit = vec2<u32>;
fn load_key_unit(row: u32, i: u32) -> KeyUnit { return keys[quant_words(row) / 2u + i]; }
fn unpack_key_pair(p: KeyUnit, i: u32) -> vec2<f32> {
  let word = bitcast<vec2<i32>>(vec2<u32>(p[i / 2u]));
  return vec2<f32>((word << select(vec2<u32>(8u, 0u), vec2<u32>(24u, 16u), i % 2u == 0u)) >> vec2<u32>(24u));
}
fn load_key(row: u32, i: u32) -> Eight {
  let p = load_key_unit(row, i);
  return Eight(vec4<f32>(unpack4xI8(p.x)), vec4<f32>(unpack4xI8(p.y)));
}
fn key_scale(row: u32) -> f32 {
  let at = scale_word(row);
  let pair = keys[at / 2u];
  return bitcast<f32>(select(pair.x, pair.y, at % 2u == 1u));
}
fn load_value(row: u32, pair: u32) -> vec2<f32> {
  let word = bitcast<vec2<i32>>(vec2<u32>(values[quant_words(row) + pair / 2u] << (16u - 16u * (pair % 2u))));
  return vec2<f32>((word << vec2<u32>(8u, 0u)) >> vec2<u32>(24u));
}
fn load_value_quad(row: u32, quad: u32) -> vec4<f32> { return vec4<f32>(unpack4xI8(values[quant_words(row) + quad])); }
fn value_scale(row: u32) -> f32 { return bitcast<f32>(values[scale_word(row)]); }
//#else
@group(0) @binding(5) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> values: array<u32>;
alias KeyUnit = vec4<u32>;
fn load_key_unit(row: u32, i: u32) -> KeyUnit { return keys[row * (HDP / 8u) + i]; }
fn unpack_key_pair(p: KeyUnit, i: u32) -> vec2<f32> { return unpack2x16float(p[i]); }
fn load_key(row: u32, i: u32) -> Eight { return unpack_f16(load_key_unit(row, i)); }
fn load_value(row: u32, pair: u32) -> vec2<f32> { return unpack2x16float(values[row * (HDP / 2u) + pair]); }
//#endif
