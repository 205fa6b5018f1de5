// Weights as whole numbers: weight = scale * (quant - zero), scale and zero shared by GROUP_UNITS units of a row. Signed
// quants of 4 or 8 bits have no zero. A unit is one word of int4 or two of int8, the first column in the lowest bits.
// Scales lie behind all units: the words of SIDE_ROWS rows in turn, as for the units.
//#if int4
alias Packed = u32;
const UNIT_WORDS: u32 = 1u;
@group(0) @binding(3) var<storage, read> weights: array<u32>;
fn weight_word(i: u32) -> u32 { return weights[i]; }
//#else
alias Packed = vec2<u32>;
const UNIT_WORDS: u32 = 2u;
@group(0) @binding(3) var<storage, read> weights: array<vec2<u32>>;
fn weight_word(i: u32) -> u32 {
  let pair = weights[i / 2u];
  return select(pair.y, pair.x, i % 2u == 0u);
}
//#endif
fn load_packed(i: u32) -> Packed { return weights[i]; }

// The word that holds a row's first scale; those of later groups follow SIDE_ROWS apart.
fn scale_index(row: u32) -> u32 {
  let groups = (params.k8 + GROUP_UNITS - 1u) / GROUP_UNITS;
//#if symmetric
  let words = (groups + 1u) / 2u;
//#else
  let words = groups;
//#endif
  let begin = (stored_rows() + SIDE_ROWS - 1u) / SIDE_ROWS * SIDE_ROWS * params.k8 * UNIT_WORDS;
  return begin + (row / SIDE_ROWS) * words * SIDE_ROWS + row % SIDE_ROWS;
}

// Scale and zero of a group of the row whose first scale is at `first`.
fn load_scale(first: u32, group: u32) -> vec2<f32> {
//#if symmetric
  let scales = unpack2x16float(weight_word(first + group / 2u * SIDE_ROWS));
  return vec2<f32>(select(scales.y, scales.x, group % 2u == 0u), 0.0);
//#else
  return unpack2x16float(weight_word(first + group * SIDE_ROWS));
//#endif
}

// Quants 2i and 2i + 1 of a unit.
fn unpack_pair(p: Packed, i: u32) -> vec2<f32> {
//#if int4
//#if symmetric
  return vec2<f32>(f32(bitcast<i32>(p << (28u - 8u * i)) >> 28u), f32(bitcast<i32>(p << (24u - 8u * i)) >> 28u));
//#else
  return vec2<f32>(f32((p >> (8u * i)) & 15u), f32((p >> (8u * i + 4u)) & 15u));
//#endif
//#else
  let word = p[i / 2u];
  let at = 16u * (i % 2u);
//#if symmetric
  return vec2<f32>(f32(bitcast<i32>(word << (24u - at)) >> 24u), f32(bitcast<i32>(word << (16u - at)) >> 24u));
//#else
  return vec2<f32>(f32((word >> at) & 255u), f32((word >> (at + 8u)) & 255u));
//#endif
//#endif
}

fn unpack_quants(p: Packed) -> Eight {
//#if int4
//#if symmetric
  let lo = bitcast<vec4<i32>>(vec4<u32>(p) << vec4<u32>(28u, 24u, 20u, 16u)) >> vec4<u32>(28u);
  let hi = bitcast<vec4<i32>>(vec4<u32>(p) << vec4<u32>(12u, 8u, 4u, 0u)) >> vec4<u32>(28u);
//#else
  let lo = (vec4<u32>(p) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);
  let hi = (vec4<u32>(p) >> vec4<u32>(16u, 20u, 24u, 28u)) & vec4<u32>(15u);
//#endif
//#else
//#if symmetric
  let left = vec4<u32>(24u, 16u, 8u, 0u);
  let lo = bitcast<vec4<i32>>(vec4<u32>(p.x) << left) >> vec4<u32>(24u);
  let hi = bitcast<vec4<i32>>(vec4<u32>(p.y) << left) >> vec4<u32>(24u);
//#else
  let right = vec4<u32>(0u, 8u, 16u, 24u);
  let lo = (vec4<u32>(p.x) >> right) & vec4<u32>(255u);
  let hi = (vec4<u32>(p.y) >> right) & vec4<u32>(255u);
//#endif
//#endif
  return Eight(vec4<f32>(lo), vec4<f32>(hi));
}

fn dequantise(p: Packed, scale: vec2<f32>) -> Eight {
  let quants = unpack_quants(p);
//#if symmetric
  return Eight(quants.lo * scale.x, quants.hi * scale.x);
//#else
  return Eight((quants.lo - scale.y) * scale.x, (quants.hi - scale.y) * scale.x);
//#endif
}

fn load_weights(row: u32, k: u32) -> Eight {
  return dequantise(load_packed(weight_index(row, k)), load_scale(scale_index(row), k / GROUP_UNITS));
}
