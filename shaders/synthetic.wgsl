// Deterministic pseudo-random weights: a hash of the tensor's seed and the element's place, uniform in
// [-amplitude, amplitude]. The padding columns stay zero.
struct Synthetic {
  seed: u32,
  row_begin: u32,  // of this part in the whole matrix
  rows: u32,
  cols: u32,
  stride2: u32,    // row stride in pairs
  lanes: u32,      // rows that lie side by side, four pairs of each in turn
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

// One hash makes two numbers of 11 bits each, so that f16 and bf16 hold the same values up to one rounding.
fn pair(stream: u32, i: u32) -> vec2<f32> {
  let h = hash(stream + i);
  let bits = vec2<f32>(f32(h >> 21u), f32((h >> 10u) & 0x7ffu));
  let v = (bits / 1024.0 - 0.99951171875) * params.amplitude;
  return vec2<f32>(select(0.0, v.x, 2u * i < params.cols), select(0.0, v.y, 2u * i + 1u < params.cols));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  for (var row = group.x; row < params.rows; row += grid.x) {
    let stream = hash(params.seed ^ ((params.row_begin + row) * 0x9e3779b9u));
    for (var i = thread; i < params.stride2; i += 64u) {
      let group = (row / params.lanes) * (params.stride2 / 4u) + i / 4u;
      out[(group * params.lanes + row % params.lanes) * 4u + i % 4u] = pack(pair(stream, i));
    }
  }
}
