// Attention of generated tokens, a row each. The context is cut into parts that run side by side, so that one long
// sequence still fills the device; attention_reduce joins them. The query heads that share a key head (GROUP of them)
// are made together and read each key and value once.
//#include common/loops.wgsl
//#include common/step.wgsl
//#include common/row.wgsl
//#include common/unpack.wgsl
//#include attention/attention.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> block_tables: array<u32>;  // [slot][blocks_per_slot]
@group(0) @binding(4) var<storage, read> queries: array<vec4<f32>>; // [tokens][heads][HDP / 4]
// [decode row][head][split]: HALF pairs of weighted values, then one pair (maximum score, sum of weights).
@group(0) @binding(7) var<storage, read_write> partials: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read_write> out: array<vec2<f32>>; // [tokens][heads][HALF], rows of one part
//#include attention/kv.wgsl

const GROUP: u32 = HEADS / KV_HEADS;
const KEYS: u32 = THREADS;
const OWN: u32 = (HALF + THREADS - 1u) / THREADS;
const FAR: f32 = -1e30;
var<workgroup> q_group: array<vec4<f32>, GROUP * (HDP / 4u)>;
var<workgroup> scores: array<f32, GROUP * KEYS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let split = group.x;
  let kv_head = group.y;
  let row = rows[group.z];
  let context = row.position + 1u;
//#if window
  let lowest = first_seen(row.position);
  let begin = max(split * step.split_tokens, lowest);
  let end = min((split + 1u) * step.split_tokens, context);
  if (begin >= end) { return; }  // the step has longer contexts than this row's, or this part is out of its sight
//#else
  let begin = split * step.split_tokens;
  if (begin >= context) { return; }  // the step has longer contexts than this row's
  let end = min(begin + step.split_tokens, context);
//#endif
  let table_from = row.slot * step.blocks_per_slot;
  let q_from = (group.z * HEADS + kv_head * GROUP) * (HDP / 4u);
//#if rolled
  for (var i = thread; i < GROUP * (HDP / 4u); i += THREADS) { q_group[i] = queries[q_from + i] * params.scale; }
//#else
  for (var n = 0u; n < (GROUP * (HDP / 4u) + THREADS - 1u) / THREADS; n++) {
    let i = thread + n * THREADS;
    if (i >= GROUP * (HDP / 4u)) { break; }
    q_group[i] = queries[q_from + i] * params.scale;
  }
//#endif
  workgroupBarrier();

  var best: array<f32, GROUP>;
  var total: array<f32, GROUP>;  // of this thread's keys
  var sums: array<vec2<f32>, GROUP * OWN>;
  for (var g = 0u; g < GROUP; g++) { best[g] = FAR; }

//#if rolled
  // On lavapipe a loop with two ways out takes half as long again.
  for (var tile = 0u; tile < step.split_tokens; tile += KEYS) {
    let first = begin + tile;
//#else
  for (var tile = 0u; tile < ENDLESS; tile++) {
    if (tile * KEYS >= step.split_tokens) { break; }
    let first = begin + tile * KEYS;
//#endif
    let mine = first + thread;
    let key = kv_row(table_from, min(mine, context - 1u), kv_head);
    // Spelled out because Dawn does not zero an array declared without a value again on the next turn of a loop.
    var mine_scores = array<f32, GROUP>();
    if (mine < end) {
//#if rolled
      for (var i = 0u; i < head_eighths(); i++) {
//#else
      for (var i = 0u; i < HDP / 8u; i++) {
//#endif
        let k = load_key(key, i);
        for (var g = 0u; g < GROUP; g++) {
          let q = g * (HDP / 4u) + 2u * i;
          mine_scores[g] += dot(q_group[q], k.lo) + dot(q_group[q + 1u], k.hi);
        }
      }
//#if kv_int8
      let scale = key_scale(key);
      for (var g = 0u; g < GROUP; g++) { mine_scores[g] *= scale; }
//#endif
    }
    for (var g = 0u; g < GROUP; g++) { scores[g * KEYS + thread] = select(FAR, mine_scores[g], mine < end); }
    workgroupBarrier();
    let count = select(0u, min(KEYS, end - min(first, end)), first < end);
    for (var g = 0u; g < GROUP; g++) {
      var new_best = best[g];
//#if rolled
      for (var j = 0u; j < count; j++) {
//#else
      for (var j = 0u; j < ENDLESS; j++) {
        if (j >= count) { break; }
//#endif
        new_best = max(new_best, scores[g * KEYS + j]);
      }
      let shrink = exp(best[g] - new_best);
      best[g] = new_best;
      total[g] *= shrink;
      for (var i = 0u; i < OWN; i++) { sums[g * OWN + i] *= shrink; }
    }
    workgroupBarrier();
//#if kv_int8
    let weight_scale = value_scale(key);
//#else
    let weight_scale = 1.0;
//#endif
    for (var g = 0u; g < GROUP; g++) {
      let weight = select(0.0, exp(mine_scores[g] - best[g]), mine < end);
      total[g] += weight;
      scores[g * KEYS + thread] = weight * weight_scale;
    }
    workgroupBarrier();
//#if rolled
    for (var j = 0u; j < count; j++) {
//#else
    for (var j = 0u; j < ENDLESS; j++) {
      if (j >= count) { break; }
//#endif
      let value = kv_row(table_from, first + j, kv_head);
      for (var i = 0u; i < OWN; i++) {
        let v = load_value(value, min(thread + THREADS * i, HALF - 1u));
        for (var g = 0u; g < GROUP; g++) { sums[g * OWN + i] += scores[g * KEYS + j] * v; }
      }
    }
    workgroupBarrier();
  }
  for (var g = 0u; g < GROUP; g++) { scores[g * KEYS + thread] = total[g]; }
  workgroupBarrier();
  for (var g = 0u; g < GROUP; g++) {
    total[g] = 0.0;
    for (var j = 0u; j < KEYS; j++) { total[g] += scores[g * KEYS + j]; }
  }

  // The row's own context decides, not the longest of the step: its numbers must not depend on its neighbours.
//#if window
  if (lowest / step.split_tokens == row.position / step.split_tokens) {
//#else
  if (context <= step.split_tokens) {
//#endif
    for (var g = 0u; g < GROUP; g++) {
      let to = group.z * params.out_stride + (kv_head * GROUP + g) * HALF;
      for (var i = 0u; i < OWN; i++) {
        if (thread + THREADS * i < HALF) { out[to + thread + THREADS * i] = sums[g * OWN + i] / total[g]; }
      }
    }
    return;
  }
  for (var g = 0u; g < GROUP; g++) {
    let to = ((group.z * HEADS + kv_head * GROUP + g) * step.splits + split) * (HALF + 1u);
    for (var i = 0u; i < OWN; i++) {
      if (thread + THREADS * i < HALF) { partials[to + thread + THREADS * i] = sums[g * OWN + i]; }
    }
    if (thread == 0u) { partials[to + HALF] = vec2<f32>(best[g], total[g]); }
  }
}
