// Weights as unsigned whole numbers: weight = scale * (quant - zero), scale and zero shared by GROUP_UNITS units of a row.
// The zero of a symmetric format is the middle of the quants everywhere. A unit is one word of int4 or two of int8, the
// first column in the lowest bits. Scales lie behind all units: the words of SIDE_ROWS rows in turn, as for the units.
//#if int4
alias Unit = u32;
const BITS: u32 = 4u;
const UNIT_WORDS: u32 = 1u;
//#else
alias Unit = vec2<u32>;
const BITS: u32 = 8u;
const UNIT_WORDS: u32 = 2u;
//#endif
//#if interleaved
// For CPU drivers, where a load costs the same whether it brings 4 bytes or 16.
@group(0) @binding(3) var<storage, read> weights: array<vec4<u32>>;
fn weight_word(i: u32) -> u32 { return weights[i / 4u][i % 4u]; }
//#if int4
fn load_unit(i: u32) -> Unit { return weight_word(i); }
// Unit i of a chunk.
fn chunk_unit(chunk: vec4<u32>, i: u32) -> Unit { return chunk[i]; }
//#else
fn load_unit(i: u32) -> Unit { return vec2<u32>(weight_word(2u * i), weight_word(2u * i + 1u)); }
fn chunk_unit(chunk: vec4<u32>, i: u32) -> Unit { return vec2<u32>(chunk[2u * i], chunk[2u * i + 1u]); }
//#endif
//#else
@group(0) @binding(3) var<storage, read> weights: array<Unit>;
//#if int4
fn weight_word(i: u32) -> u32 { return weights[i]; }
//#else
fn weight_word(i: u32) -> u32 { return weights[i / 2u][i % 2u]; }
//#endif
fn load_unit(i: u32) -> Unit { return weights[i]; }
//#endif

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
  return vec2<f32>(select(scales.y, scales.x, group % 2u == 0u), f32(1u << (BITS - 1u)));
//#else
  return unpack2x16float(weight_word(first + group * SIDE_ROWS));
//#endif
}

// Quants 2i and 2i + 1 of a unit, each times 1 / column_scale of its column: masked where they lie in their word, which
// spares a shift each. The highest would not fit a signed number, whose conversion is the cheap one, and is shifted.
fn unpack_pair(p: Unit, i: u32) -> vec2<f32> {
//#if int4
  let low = p & (15u << (8u * i));
  let high = select(p & (240u << (8u * i)), p >> 28u, i == 3u);
//#else
  let word = p[i / 2u];
  let low = word & select(255u, 0xff0000u, i % 2u == 1u);
  let high = select(word & 0xff00u, word >> 24u, i % 2u == 1u);
//#endif
  return vec2<f32>(f32(bitcast<i32>(low)), f32(bitcast<i32>(high)));
}

// What makes a masked quant of a unit's column whole again.
fn column_scale(column: u32) -> f32 {
  let place = column % (32u / BITS);
  return bitcast<f32>((127u - select(BITS * place, 0u, place == 32u / BITS - 1u)) << 23u);
}

// Quants times a power of two of their own, without a conversion: masked where they lie in their word, the bits of a
// number from 2^23 up to twice that hold them as they are. The power goes into x: PLACES_LO and PLACES_HI.
const FLOOR: f32 = 8388608.0;
//#if int4
const PLACES_LO = vec4<f32>(1.0, 0.0625, 0.00390625, 0.000244140625);
const PLACES_HI = vec4<f32>(0.0000152587890625, 1.0, 0.0625, 0.00390625);
fn quants_in_place(p: Unit) -> Eight {
  let lo = vec4<u32>(p) & vec4<u32>(15u, 240u, 3840u, 61440u);
  let high = p >> 20u;
  let hi = vec4<u32>(p, high, high, high) & vec4<u32>(983040u, 15u, 240u, 3840u);
//#else
const PLACES_LO = vec4<f32>(1.0, 0.00390625, 1.0, 0.00390625);
const PLACES_HI = PLACES_LO;
fn quants_in_place(p: Unit) -> Eight {
  let places = vec4<u32>(255u, 65280u, 255u, 65280u);
  let high = p >> vec2<u32>(16u);
  let lo = vec4<u32>(p.x, p.x, high.x, high.x) & places;
  let hi = vec4<u32>(p.y, p.y, high.y, high.y) & places;
//#endif
  let floor_bits = vec4<u32>(bitcast<u32>(FLOOR));
  return Eight(bitcast<vec4<f32>>(lo | floor_bits) - FLOOR, bitcast<vec4<f32>>(hi | floor_bits) - FLOOR);
}

fn unpack_quants(p: Unit) -> Eight {
  let places = vec4<u32>(0u, BITS, 2u * BITS, 3u * BITS);
  let mask = vec4<u32>((1u << BITS) - 1u);
//#if int4
  let lo = (vec4<u32>(p) >> places) & mask;
  let hi = (vec4<u32>(p >> 16u) >> places) & mask;
//#else
  let lo = (vec4<u32>(p.x) >> places) & mask;
  let hi = (vec4<u32>(p.y) >> places) & mask;
//#endif
  return Eight(vec4<f32>(bitcast<vec4<i32>>(lo)), vec4<f32>(bitcast<vec4<i32>>(hi)));
}

fn dequantize(p: Unit, scale: vec2<f32>) -> Eight {
  let quants = unpack_quants(p);
  return Eight((quants.lo - scale.y) * scale.x, (quants.hi - scale.y) * scale.x);
}

fn load_weights(row: u32, k: u32) -> Eight {
  return dequantize(load_unit(weight_index(row, k)), load_scale(scale_index(row), k / GROUP_UNITS));
}
