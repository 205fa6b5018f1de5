// Rotates queries and keys of prompts and files keys and values in the paged cache, a pair of numbers a thread. For
// decoding sequences the projection does it itself.
//#include common/step.wgsl
//#include common/file.wgsl
struct Rope {
  qkv_stride: u32,  // row stride of qkv in vec2
  pairs: u32,       // pairs in a row: (heads + 2 * kv heads) * head_dim / 2
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Rope;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> qkv: array<vec2<f32>>;    // [tokens][heads q | kv heads k | kv heads v][HALF]
@group(0) @binding(4) var<storage, read> angles: array<vec2<f32>>; // [position][HALF] cos, sin
@group(0) @binding(5) var<storage, read_write> queries: array<vec2<f32>>;  // [tokens][heads][HDP / 2]
@group(0) @binding(6) var<storage, read_write> keys: array<Filed>;
@group(0) @binding(7) var<storage, read_write> values: array<Filed>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = group.x * 64u + thread;
  if (at >= params.pairs) { return; }
  let m = step.decode_rows + group.y;
  file_pair(m, at, qkv[m * params.qkv_stride + at]);
}
