// Deterministic pseudo-random weights: a hash of the tensor's seed and the element's place, uniform in
// [-amplitude, amplitude]. The padding columns stay zero.
struct Synthetic {
  seed: u32,
  row_begin: u32,  // of this part in the whole matrix
  rows: u32,
  cols: u32,
  stride2: u32,    // row stride in pairs
  amplitude: f32,
}
@group(0) @binding(0) var<uniform> params: Synthetic;
//#if weights_f32
@group(0) @binding(1) var<storage, read_write> out: array<vec2<f32>>;
fn pack(v: vec2<f32>) -> vec2<f32> { return v; }
//#else
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
//#if weights_bf16
fn pack(v: vec2<f32>) -> u32 {
  let bits = bitcast<vec2<u32>>(v);
  return (bits.x >> 16u) | (bits.y & 0xffff0000u);
}
//#else
fn pack(v: vec2<f32>) -> u32 { return pack2x16float(v); }
//#endif
//#endif

// PCG output permutation (O'Neill 2014) over a linear congruential step.
fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn value(row: u32, col: u32) -> f32 {
  if (col >= params.cols) { return 0.0; }
  let h = hash(hash(params.seed ^ (row * 0x9e3779b9u)) + col);
  // 11 bits, so that f16 and bf16 hold the same values up to one rounding of the amplitude
  return (f32(h >> 21u) / 1024.0 - 0.99951171875) * params.amplitude;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  for (var row = group.x; row < params.rows; row += grid.x) {
    for (var i = thread; i < params.stride2; i += 64u) {
      let pair = vec2<f32>(value(params.row_begin + row, 2u * i), value(params.row_begin + row, 2u * i + 1u));
      out[row * params.stride2 + i] = pack(pair);
    }
  }
}
