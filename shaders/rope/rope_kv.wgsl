// Rotates queries and keys of prompts and files keys and values in the paged cache, a pair of numbers a thread. For
// decoding sequences the projection does it itself. Where more is done to heads, and in a cache of int8, whose scales are
// known only when all of a head is, all rows come here, and a workgroup has a head of a row.
//#if subgroups
enable subgroups;
//#endif
//#include common/step.wgsl
//#include common/file.wgsl
//#include rope/head.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Rope;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> qkv: array<vec2<f32>>;    // [tokens][heads q | kv heads k | kv heads v][HALF]
@group(0) @binding(4) var<storage, read> angles: array<vec2<f32>>; // [position][HALF] cos, sin
@group(0) @binding(5) var<storage, read_write> queries: array<vec2<f32>>;  // [tokens][heads][HDP / 2]
@group(0) @binding(6) var<storage, read_write> keys: array<Filed>;
@group(0) @binding(7) var<storage, read_write> values: array<Filed>;

//#if kv_int8
//#include common/loops.wgsl
//#include common/kv_words.wgsl
const MOST: f32 = 127.0;
// Numbers so small that neither they nor a scale of theirs can be told from zero.
const NOTHING: f32 = 1e-30;
const INFINITE: u32 = 0x7f800000u;
const NOT_A_NUMBER: u32 = 0x7fc00000u;

fn pair_of(m: u32, head: u32, i: u32) -> vec2<f32> {
  if (i >= HALF) { return vec2<f32>(); }
  return rotate(rows[m].position, head, i, head_pair(m, head, i));
}

// The largest of a workgroup's numbers, none of them negative, as bits: so compared, NaN is the largest of all.
//#if subgroups
fn largest_of(bits: u32) -> u32 { return subgroupMax(bits); }
//#else
var<workgroup> largest: atomic<u32>;
fn largest_of(bits: u32) -> u32 {
  atomicMax(&largest, bits);
  workgroupBarrier();
  return atomicLoad(&largest);
}
//#endif

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = group.x;
  let m = group.y;
//#if works
  prepare_head(m, head, thread);
//#endif
  if (head < HEADS) {
    for (var n = 0u; n < (HALF + THREADS - 1u) / THREADS; n++) {
      let i = thread + n * THREADS;
      if (i >= HALF) { break; }
      queries[(m * HEADS + head) * (HDP / 2u) + i] = pair_of(m, head, i);
    }
    return;
  }
  var bits = 0u;
  for (var n = 0u; n < (HALF + THREADS - 1u) / THREADS; n++) {
    let i = thread + n * THREADS;
    if (i >= HALF) { break; }
    let pair = bitcast<vec2<u32>>(pair_of(m, head, i)) & vec2<u32>(0x7fffffffu);
    bits = max(bits, max(pair.x, pair.y));
  }
  bits = largest_of(bits);
  // A head with an infinity or NaN gets NaN for its scale, which whoever reads it will notice.
  let finite = bits < INFINITE;
  let most = bitcast<f32>(select(0u, bits, finite));
  var scale = 0.0;
  var inverse = 0.0;
  if (most > NOTHING) {
    scale = most / MOST;
    inverse = MOST / most;
  }
  let row = kv_place(rows[m].kv_index, (head - HEADS) % KV_HEADS);
  let is_key = head < HEADS + KV_HEADS;
  for (var n = 0u; n < (HDP / 4u + THREADS - 1u) / THREADS; n++) {
    let i = thread + n * THREADS;
    if (i >= HDP / 4u) { break; }
    let four = vec4<f32>(pair_of(m, head, 2u * i), pair_of(m, head, 2u * i + 1u));
    let quants = vec4<i32>(clamp(round(select(vec4<f32>(), four, finite) * inverse), vec4<f32>(-MOST), vec4<f32>(MOST)));
    let to = quant_words(row) + i;
    if (is_key) { keys[to] = pack4xI8(quants); } else { values[to] = pack4xI8(quants); }
  }
  if (thread == 0u) {
    let word = select(NOT_A_NUMBER, bitcast<u32>(scale), finite);
    if (is_key) { keys[scale_word(row)] = word; } else { values[scale_word(row)] = word; }
  }
}
//#elif works
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = group.x;
  let m = group.y;
  prepare_head(m, head, thread);
  for (var n = 0u; n < (HALF + THREADS - 1u) / THREADS; n++) {
    let i = thread + n * THREADS;
    if (i >= HALF) { break; }
    file_pair(m, head * HALF + i, head_pair(m, head, i));
  }
}
//#else
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = group.x * 64u + thread;
  if (at >= params.pairs) { return; }
  let m = step.decode_rows + group.y;
  file_pair(m, at, head_pair(m, at / HALF, at % HALF));
}
//#endif
