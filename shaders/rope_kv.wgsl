// Rotates queries and keys and files keys and values in the paged cache. The two numbers a rotation mixes are
// neighbours (the rows of the q and k projections were put so at load), so a thread makes one pair.
//#include common/step.wgsl
//#include common/row.wgsl
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
//#if kv_f32
@group(0) @binding(6) var<storage, read_write> keys: array<vec2<f32>>;
@group(0) @binding(7) var<storage, read_write> values: array<vec2<f32>>;
fn pack(v: vec2<f32>) -> vec2<f32> { return v; }
//#else
@group(0) @binding(6) var<storage, read_write> keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> values: array<u32>;
fn pack(v: vec2<f32>) -> u32 { return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0))); }
//#endif

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = group.x * 64u + thread;
  if (at >= params.pairs) { return; }
  let row = rows[group.y];
  let head = at / HALF;
  let i = at % HALF;
  var v = qkv[group.y * params.qkv_stride + at];
  if (head < HEADS + KV_HEADS) {
    let a = angles[row.position * HALF + i];
    v = vec2<f32>(v.x * a.x - v.y * a.y, v.x * a.y + v.y * a.x);
  }
  if (head < HEADS) {
    queries[(group.y * HEADS + head) * (HDP / 2u) + i] = v;
    return;
  }
  let kv_head = (head - HEADS) % KV_HEADS;
  let kv_row = ((row.kv_index / BLOCK_TOKENS) * KV_HEADS + kv_head) * BLOCK_TOKENS + row.kv_index % BLOCK_TOKENS;
  let to = kv_row * (HDP / 2u) + i;
  if (head < HEADS + KV_HEADS) { keys[to] = pack(v); } else { values[to] = pack(v); }
}
