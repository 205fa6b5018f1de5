// Causal attention of a tile of QUERIES rows of one sequence, one head, over the paged cache, without ever holding
// the scores of more than KEYS tokens a row (flash style: running maximum and sum). LANES threads share a row: each
// scores every LANES-th key and owns every LANES-th pair of output columns. Keys and values are read straight from
// the cache; rows of one tile read the same ones.
//#include common/step.wgsl
//#include common/row.wgsl
//#include common/unpack.wgsl
//#include attention/attention.wgsl
struct Tile { first_row: u32, rows: u32, slot: u32, first_position: u32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
@group(0) @binding(2) var<storage, read> tiles: array<Tile>;
@group(0) @binding(3) var<storage, read> block_tables: array<u32>;  // [slot][blocks_per_slot]
@group(0) @binding(4) var<storage, read> queries: array<vec4<f32>>; // [tokens][heads][HDP / 4]
//#include attention/prompt_out.wgsl
//#include attention/kv.wgsl

const LANES: u32 = THREADS / QUERIES;
const OWN: u32 = (HALF + LANES - 1u) / LANES;  // output pairs a thread owns
const FAR: f32 = -1e30;
//#if alone
// One thread a row: nothing is shared, so there is no barrier, which CPU drivers pay for in compile time too.
var<private> scores: array<f32, KEYS>;
fn score_of(row: u32, key: u32) -> u32 { return key; }
//#else
var<workgroup> q_tile: array<vec4<f32>, QUERIES * (HDP / 4u)>;
var<workgroup> scores: array<f32, QUERIES * KEYS>;
fn score_of(row: u32, key: u32) -> u32 { return row * KEYS + key; }
//#endif

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile = tiles[group.x];
  let head = group.y;
  let kv_head = head / (HEADS / KV_HEADS);
  let table_from = tile.slot * step.blocks_per_slot;
//#if alone
//#else
  for (var load = 0u; load < (QUERIES * (HDP / 4u) + THREADS - 1u) / THREADS; load++) {
    let i = load * THREADS + thread;
    if (i >= QUERIES * (HDP / 4u)) { break; }
    let row = min(i / (HDP / 4u), tile.rows - 1u);
    q_tile[i] = queries[((tile.first_row + row) * HEADS + head) * (HDP / 4u) + i % (HDP / 4u)] * params.scale;
  }
  workgroupBarrier();
//#endif

  let row = thread / LANES;
  let lane = thread % LANES;
  let known = min(row, tile.rows - 1u);
  let position = tile.first_position + known;
  let context = tile.first_position + tile.rows;
//#if alone
  let q_from = ((tile.first_row + known) * HEADS + head) * (HDP / 4u);
//#else
  let q_from = row * (HDP / 4u);
//#endif
  var best = FAR;
  var total = 0.0;
  var sums: array<vec2<f32>, OWN>;

//#if window
  let lowest = first_seen(position);
  let begin = first_seen(tile.first_position) / KEYS * KEYS;
//#else
  const begin = 0u;
//#endif
  for (var turn = 0u; turn < MOST_TURNS; turn++) {
    let first = begin + turn * KEYS;
    if (first >= context) { break; }
    let count = min(KEYS, context - first);
    for (var share = 0u; share < KEYS / LANES; share++) {
      let j = share * LANES + lane;
      if (j >= count) { break; }
      var score = FAR;
//#if window
      if (first + j <= position && first + j >= lowest) {
//#else
      if (first + j <= position) {
//#endif
        let key = kv_row(table_from, first + j, kv_head);
        score = 0.0;
//#if rolled
        for (var i = 0u; i < MOST_TURNS; i++) {
          if (i >= head_eighths()) { break; }
//#else
        for (var i = 0u; i < HDP / 8u; i++) {
//#endif
          let k = load_key(key, i);
//#if alone
          score += dot(queries[q_from + 2u * i], k.lo) + dot(queries[q_from + 2u * i + 1u], k.hi);
//#else
          score += dot(q_tile[q_from + 2u * i], k.lo) + dot(q_tile[q_from + 2u * i + 1u], k.hi);
//#endif
        }
//#if alone
        score *= params.scale;
//#endif
//#if kv_int8
        score *= key_scale(key);
//#endif
      }
      scores[score_of(row, j)] = score;
    }
//#if alone
//#else
    workgroupBarrier();
//#endif
    var new_best = best;
    for (var j = 0u; j < KEYS; j++) {
      if (j >= count) { break; }
      new_best = max(new_best, scores[score_of(row, j)]);
    }
    let shrink = exp(best - new_best);
    best = new_best;
    total *= shrink;
    for (var i = 0u; i < OWN; i++) { sums[i] *= shrink; }
    for (var j = 0u; j < KEYS; j++) {
      if (j >= count) { break; }
      // Keys after the row's own position were scored FAR, which exp turns into 0 since the first key always counts.
//#if window
      // But of a window, it may come later.
      let p = select(0.0, exp(scores[score_of(row, j)] - best), scores[score_of(row, j)] > FAR);
//#else
      let p = exp(scores[score_of(row, j)] - best);
//#endif
      total += p;
      let value = kv_row(table_from, first + j, kv_head);
//#if kv_int8
      let weight = p * value_scale(value);
//#else
      let weight = p;
//#endif
      for (var i = 0u; i < OWN; i++) { sums[i] += weight * load_value(value, min(lane + i * LANES, HALF - 1u)); }
    }
//#if alone
//#else
    workgroupBarrier();
//#endif
  }
  if (row < tile.rows) {
    for (var i = 0u; i < OWN; i++) {
      let pair = lane + i * LANES;
      if (pair < HALF) { put_pair(tile.first_row + row, head, pair, sums[i] / total); }
    }
  }
}
