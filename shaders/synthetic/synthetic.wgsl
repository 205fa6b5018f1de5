//#include common/loops.wgsl
// Deterministic pseudo-random weights: a hash of the tensor's seed and the element's place, uniform in
// [-amplitude, amplitude]. The padding columns stay zero.
struct Synthetic {
  seed: u32,
  row_begin: u32,  // of this part in the whole matrix
  rows: u32,
  cols: u32,
  stride2: u32,    // row stride in pairs
  lanes: u32,      // rows that lie side by side, four elements of each in turn
  amplitude: f32,
  scale: u32,      // of quantised weights: a word as it is stored
}
@group(0) @binding(0) var<uniform> params: Synthetic;
//#if weights_f32
@group(0) @binding(1) var<storage, read_write> out: array<vec2<f32>>;
const PAIRS: u32 = 1u;  // of columns in an element of `out`
fn element(stream: u32, i: u32) -> vec2<f32> { return pair(stream, i) * params.amplitude; }
//#elif quantized
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
//#if int4
const BITS: u32 = 4u;
//#else
const BITS: u32 = 8u;
//#endif
const PAIRS: u32 = 16u / BITS;
const MIDDLE: i32 = i32(1u << (BITS - 1u));
// Quants around the middle; all groups have one scale.
fn element(stream: u32, i: u32) -> u32 {
  var word = 0u;
  for (var p = 0u; p < PAIRS; p++) {
    let q = vec2<u32>(vec2<i32>(round(pair(stream, PAIRS * i + p) * f32(MIDDLE - 1))) + MIDDLE);
    word |= (q.x | (q.y << BITS)) << (2u * BITS * p);
  }
  return word;
}
//#else
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
const PAIRS: u32 = 1u;
//#if weights_bf16
fn element(stream: u32, i: u32) -> u32 {
  let bits = bitcast<vec2<u32>>(pair(stream, i) * params.amplitude);
  return (bits.x >> 16u) | (bits.y & 0xffff0000u);
}
//#else
fn element(stream: u32, i: u32) -> u32 { return pack2x16float(pair(stream, i) * params.amplitude); }
//#endif
//#endif

// PCG output permutation (O'Neill 2014) over a linear congruential step.
fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// One hash makes two numbers of 11 bits each, so that f16 and bf16 hold the same values up to one rounding.
fn pair(stream: u32, i: u32) -> vec2<f32> {
  let h = hash(stream + i);
  let bits = vec2<f32>(f32(h >> 21u), f32((h >> 10u) & 0x7ffu));
  let v = bits / 1024.0 - 0.99951171875;
  return vec2<f32>(select(0.0, v.x, 2u * i < params.cols), select(0.0, v.y, 2u * i + 1u < params.cols));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  for (var turn = 0u; turn < ENDLESS; turn++) {
    let row = group.x + turn * grid.x;
    if (row >= params.rows) { break; }
    let stream = hash(params.seed ^ ((params.row_begin + row) * 0x9e3779b9u));
    let elements = params.stride2 / PAIRS;
    for (var n = 0u; n < ENDLESS; n++) {
      let i = thread + n * 64u;
      if (i >= elements) { break; }
      let four = (row / params.lanes) * (elements / 4u) + i / 4u;
      out[(four * params.lanes + row % params.lanes) * 4u + i % 4u] = element(stream, i);
    }
//#if quantized
    let groups = (params.stride2 / 4u + GROUP_UNITS - 1u) / GROUP_UNITS;
//#if symmetric
    let words = (groups + 1u) / 2u;
//#else
    let words = groups;
//#endif
    let first = (params.rows + params.lanes - 1u) / params.lanes * params.lanes * params.stride2 / PAIRS
      + (row / params.lanes) * words * params.lanes + row % params.lanes;
    for (var n = 0u; n < ENDLESS; n++) {
      let i = thread + n * 64u;
      if (i >= words) { break; }
      out[first + i * params.lanes] = params.scale;
    }
//#endif
  }
}
