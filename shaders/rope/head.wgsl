// Heads of [heads q | kv heads k | kv heads v] before they are rotated: with their biases, and with what else is done to
// them, such as a norm of those of queries and keys. Wants `qkv` and `params` declared; where there are such works, one
// workgroup of THREADS has a head.
struct Rope {
  qkv_stride: u32,  // row stride of qkv in vec2
  pairs: u32,       // pairs in a row: (heads + 2 * kv heads) * head_dim / 2
  bias_at: u32,     // where biases begin, in pairs
  eps: f32,         // of norms of heads
  norm_at: u32,     // where the scales of queries' norm begin, in pairs; those of keys follow
}
//#if constant
@group(0) @binding(8) var<storage, read> constants: array<vec2<f32>>;
fn constant_pair(i: u32) -> vec2<f32> { return constants[i]; }
//#endif

fn qkv_pair(m: u32, head: u32, i: u32) -> vec2<f32> {
  let pair = qkv[m * params.qkv_stride + head * HALF + i];
//#if bias
  return pair + constant_pair(params.bias_at + head * HALF + i);
//#else
  return pair;
//#endif
}

//#if works
var<private> head_scale: f32;
// A sum over the workgroup of a head; between two of them there is a barrier.
//#if subgroups
fn sum_of(value: f32, thread: u32) -> f32 { return subgroupAdd(value); }
//#else
var<workgroup> sums: array<f32, THREADS>;
fn sum_of(value: f32, thread: u32) -> f32 {
  sums[thread] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < THREADS; i++) { sum += sums[i]; }
  return sum;
}
//#endif
//#endif

//#if head_norm
fn norm_head(m: u32, head: u32, thread: u32) {
  var squares = 0.0;
  for (var n = 0u; n < (HALF + THREADS - 1u) / THREADS; n++) {
    let i = thread + n * THREADS;
    if (i >= HALF) { break; }
    let pair = qkv_pair(m, head, i);
    squares += dot(pair, pair);
  }
  head_scale = 1.0 / sqrt(sum_of(squares, thread) / f32(2u * HALF) + params.eps);
}
fn normed_pair(head: u32, i: u32, pair: vec2<f32>) -> vec2<f32> {
  if (head >= HEADS + KV_HEADS) { return pair; }
  return pair * head_scale * constant_pair(params.norm_at + select(0u, HALF, head >= HEADS) + i);
}
//#endif

//#if works
// Finds what `head_pair` must know of a whole head. Uniform for the workgroup, which calls it once.
fn prepare_head(m: u32, head: u32, thread: u32) {
//#if head_norm
  norm_head(m, head, thread);
//#endif
}
//#endif
fn head_pair(m: u32, head: u32, i: u32) -> vec2<f32> {
  var pair = qkv_pair(m, head, i);
//#if head_norm
  pair = normed_pair(head, i, pair);
//#endif
  return pair;
}
