// Causal attention of a tile of QUERIES rows of one sequence on subgroup matrices, over a paged cache of f16 or int8. A
// workgroup stacks the rows of SHARE query heads that have one KV head in common, so that they share its keys and
// values; each subgroup makes SUB_ROWS of the stacked rows. Scores and sums are f32, queries and the softmax's
// weights are rounded to f16 on their way into matrices.
//
// Which lane holds which number of a matrix is the driver's secret, so sums in matrices cannot be scaled row by row
// when a row's maximum grows. They seldom have to be: a row keeps the maximum of its first keys as its reference until
// a score passes it by SLACK, and only then all sums go through workgroup memory to be scaled.
//#include common/step.wgsl
//#include common/row.wgsl
//#include common/attention.wgsl
//#include common/matrix_staged.wgsl
//#if pinned
enable subgroup_size_control;
//#endif
struct Tile { first_row: u32, rows: u32, slot: u32, first_position: u32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
@group(0) @binding(2) var<storage, read> tiles: array<Tile>;
@group(0) @binding(3) var<storage, read> block_tables: array<u32>;  // [slot][blocks_per_slot]
@group(0) @binding(4) var<storage, read> queries: array<vec4<f32>>; // [tokens][heads][HDP / 4]
//#if kv_int8
@group(0) @binding(5) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> values: array<vec2<u32>>;
//#else
@group(0) @binding(5) var<storage, read> keys: array<vec4<u32>>;    // [cache row][HDP / 8]
@group(0) @binding(6) var<storage, read> values: array<vec4<u32>>;
//#endif
@group(0) @binding(7) var<storage, read_write> out: array<vec2<f32>>; // [tokens][heads][HALF]
//#include common/kv_row.wgsl

const FAR: f32 = -1e30;
const LOG2_E: f32 = 1.4426950408889634;
// In `staged`: queries first, in their place then keys, or sums that are scaled or stored, and from VALUES_AT values;
// from SCORES_AT scores and weights.
const EIGHTHS: u32 = HDP / 8u;          // elements of a row that are there
const PITCH: u32 = (WIDTH / 8u) | 1u;   // WIDTH: HDP padded to whole matrices
const SCORE_PITCH: u32 = KEYS / 4u + 1u;
const SUM_WIDTH: u32 = MATRIX_N / 4u;
const SUM_PITCH: u32 = SUM_WIDTH + 1u;
// TEAM lanes share a row of scores, SEGMENT keys each. A lane writes its weights over the scores it has read.
const SEGMENT: u32 = KEYS / TEAM;
const SEGMENT_WIDTH: u32 = SEGMENT / 4u;
var<workgroup> factors: array<f32, ROWS>;  // by stacked row
var<workgroup> raised: atomic<u32>;
//#if kv_int8
// Quants of keys are exact in f16, so scores take their scale afterwards. A value takes it on its way into matrices:
// folded into weights, which are f16 here, it would push them out of the range where those are precise.
var<workgroup> key_scales: array<f32, KEYS>;
fn key_scales_at(i: u32) -> vec4<f32> {
  return vec4<f32>(key_scales[i], key_scales[i + 1u], key_scales[i + 2u], key_scales[i + 3u]);
}
const MOST_SCALE: f32 = 65504.0 / 127.0;  // of a value's: what is larger than f16 becomes its largest
fn scale_in(pair: vec2<u32>, row: u32) -> f32 { return bitcast<f32>(select(pair.x, pair.y, row % 2u == 1u)); }
//#endif

fn halves(lo: vec4<f32>, hi: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(pack2x16float(lo.xy), pack2x16float(lo.zw), pack2x16float(hi.xy), pack2x16float(hi.zw));
}

fn across_team_max(value: f32) -> f32 {
  var v = value;
//#if team_2
  v = max(v, subgroupShuffleXor(v, 1u));
//#endif
//#if team_4
  v = max(v, subgroupShuffleXor(v, 2u));
//#endif
  return v;
}
fn across_team_sum(value: f32) -> f32 {
  var v = value;
//#if team_2
  v += subgroupShuffleXor(v, 1u);
//#endif
//#if team_4
  v += subgroupShuffleXor(v, 2u);
//#endif
  return v;
}

@compute @workgroup_size(THREADS)
//#if pinned
@subgroup_size(LANES)
//#endif
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
//#if subgroup_id
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
//#endif
  @builtin(local_invocation_index) thread: u32,
) {
//#if subgroup_id
//#else
  let subgroup = thread / LANES;
  let lane = thread % LANES;
//#endif
  let tile = tiles[group.x];
  let first_head = group.y * SHARE;
  let kv_head = first_head / (HEADS / KV_HEADS);
  let table_from = tile.slot * step.blocks_per_slot;
  let context = tile.first_position + tile.rows;
  let row_from = subgroup * SUB_ROWS;

  for (var i = thread; i < ROWS * (WIDTH / 8u); i += THREADS) {
    let row = i / (WIDTH / 8u);
    let col = i % (WIDTH / 8u);
    let token = tile.first_row + min(row % QUERIES, tile.rows - 1u);
    var q = vec4<u32>();
    if (col < EIGHTHS) {
      let at = (token * HEADS + first_head + row / QUERIES) * (HDP / 4u) + 2u * col;
      let scale = params.scale * LOG2_E;
      q = halves(queries[at] * scale, queries[at + 1u] * scale);
    }
    staged[row * PITCH + col] = q;
  }
  workgroupBarrier();
//#repeat i STRIPS
//#repeat k QK_STEPS
  let q_$i$_$k$ = left_at((row_from + $i$u * MATRIX_M) * PITCH + $k$u * (MATRIX_K / 8u), PITCH);
//#endrepeat
//#repeat c OUT_COLS
  var sum_$i$_$c$: Sum;
//#endrepeat
//#endrepeat
  // Of each row this lane has a part in: its position, reference and the sum of the lane's weights.
//#repeat r LANE_ROWS
  let row_$r$ = row_from + lane / TEAM + $r$u * (LANES / TEAM);
  let position_$r$ = tile.first_position + min(row_$r$ % QUERIES, tile.rows - 1u);
  var best_$r$ = FAR;
  var total_$r$ = 0.0;
//#endrepeat

  for (var first = 0u; first < context; first += KEYS) {
    workgroupBarrier();
    for (var i = thread; i < KEYS * (WIDTH / 8u); i += THREADS) {
      let row = i / (WIDTH / 8u);
      let col = i % (WIDTH / 8u);
      var k = vec4<u32>();
      var v = vec4<u32>();
      // What lies after the context may be anything, and a weight of 0 does not make NaN harmless.
      if (first + row < context && col < EIGHTHS) {
        let cached = kv_row(table_from, first + row, kv_head);
//#if kv_int8
        let at = quant_words(cached) / 2u + col;
        let scale_at = scale_word(cached) / 2u;
        k = halves(vec4<f32>(unpack4xI8(keys[at].x)), vec4<f32>(unpack4xI8(keys[at].y)));
        var scale = scale_in(values[scale_at], cached);
        scale = select(scale, MOST_SCALE, scale > MOST_SCALE);  // NaN stays
        v = halves(vec4<f32>(unpack4xI8(values[at].x)) * scale, vec4<f32>(unpack4xI8(values[at].y)) * scale);
        if (col == 0u) { key_scales[row] = scale_in(keys[scale_at], cached); }
//#else
        let at = cached * EIGHTHS + col;
        k = keys[at];
        v = values[at];
//#endif
      }
      staged[row * PITCH + col] = k;
      staged[VALUES_AT + row * PITCH + col] = v;
    }
    workgroupBarrier();
    if (thread == 0u) { atomicStore(&raised, 0u); }

//#repeat j KEY_COLS
    {
//#repeat i STRIPS
      var score_$i$ = Sum();  // Dawn zeroes one declared without a value on the loop's first turn only
//#endrepeat
//#repeat k QK_STEPS
      let key_$k$ = right_at($j$u * MATRIX_N * PITCH + $k$u * (MATRIX_K / 8u), PITCH);
//#repeat i STRIPS
      score_$i$ = accumulate(q_$i$_$k$, key_$k$, score_$i$);
//#endrepeat
//#endrepeat
//#repeat i STRIPS
      put_sum(SCORES_AT + (row_from + $i$u * MATRIX_M) * SCORE_PITCH + $j$u * SUM_WIDTH, SCORE_PITCH, score_$i$);
//#endrepeat
    }
//#endrepeat
    workgroupBarrier();

//#repeat r LANE_ROWS
    {
      let here = SCORES_AT + row_$r$ * SCORE_PITCH + (lane % TEAM) * SEGMENT_WIDTH;
      let key = first + (lane % TEAM) * SEGMENT;
      let limit = vec4<u32>(position_$r$);
      var most = vec4<f32>(FAR);
//#repeat p SEGMENT_PAIRS
      let numbers_$p$ = vec4<u32>(key + 8u * $p$u) + vec4<u32>(0u, 1u, 2u, 3u);
      var lo_$p$ = bitcast<vec4<f32>>(staged[here + 2u * $p$u]);
      var hi_$p$ = bitcast<vec4<f32>>(staged[here + 2u * $p$u + 1u]);
//#if kv_int8
      lo_$p$ *= key_scales_at((lane % TEAM) * SEGMENT + 8u * $p$u);
      hi_$p$ *= key_scales_at((lane % TEAM) * SEGMENT + 8u * $p$u + 4u);
//#endif
      lo_$p$ = select(vec4<f32>(FAR), lo_$p$, numbers_$p$ <= limit);
      hi_$p$ = select(vec4<f32>(FAR), hi_$p$, numbers_$p$ + 4u <= limit);
      most = max(most, max(lo_$p$, hi_$p$));
//#endrepeat
      let highest = across_team_max(max(max(most.x, most.y), max(most.z, most.w)));
      var factor = 1.0;
      if (highest > best_$r$ + f32(SLACK)) {
        factor = exp2(best_$r$ - highest);
        best_$r$ = highest;
        atomicStore(&raised, 1u);
      }
      if (lane % TEAM == 0u) { factors[row_$r$] = factor; }
      var weights = vec4<f32>();
//#repeat p SEGMENT_PAIRS
      let weight_lo_$p$ = exp2(lo_$p$ - best_$r$);
      let weight_hi_$p$ = exp2(hi_$p$ - best_$r$);
      weights += weight_lo_$p$ + weight_hi_$p$;
      staged[here + $p$u] = halves(weight_lo_$p$, weight_hi_$p$);
//#endrepeat
      total_$r$ = total_$r$ * factor + (weights.x + weights.y) + (weights.z + weights.w);
    }
//#endrepeat
    if (workgroupUniformLoad(&raised) != 0u && first > 0u) {
//#repeat i STRIPS
//#repeat c OUT_COLS
      put_sum(subgroup * MATRIX_M * SUM_PITCH, SUM_PITCH, sum_$i$_$c$);
      workgroupBarrier();
      for (var i = lane; i < MATRIX_M * SUM_WIDTH; i += LANES) {
        let row = i / SUM_WIDTH;
        let at = (subgroup * MATRIX_M + row) * SUM_PITCH + i % SUM_WIDTH;
        let scaled = bitcast<vec4<f32>>(staged[at]) * factors[row_from + $i$u * MATRIX_M + row];
        staged[at] = bitcast<vec4<u32>>(scaled);
      }
      workgroupBarrier();
      sum_$i$_$c$ = sum_at(subgroup * MATRIX_M * SUM_PITCH, SUM_PITCH);
      workgroupBarrier();
//#endrepeat
//#endrepeat
    }

//#repeat k PV_STEPS
    {
      let at = ($k$u * MATRIX_K / SEGMENT) * SEGMENT_WIDTH + ($k$u * MATRIX_K % SEGMENT) / 8u;
//#repeat i STRIPS
      let weight_$i$ = left_at(SCORES_AT + (row_from + $i$u * MATRIX_M) * SCORE_PITCH + at, SCORE_PITCH);
//#endrepeat
//#repeat c OUT_COLS
      let value_$c$ = right_across(VALUES_AT + $k$u * MATRIX_K * PITCH + $c$u * (MATRIX_N / 8u), PITCH);
//#repeat i STRIPS
      sum_$i$_$c$ = accumulate(weight_$i$, value_$c$, sum_$i$_$c$);
//#endrepeat
//#endrepeat
    }
//#endrepeat
  }

//#repeat r LANE_ROWS
  let all_$r$ = across_team_sum(total_$r$);
  if (lane % TEAM == 0u) { factors[row_$r$] = 1.0 / all_$r$; }
//#endrepeat
//#repeat i STRIPS
//#repeat c OUT_COLS
  workgroupBarrier();
  put_sum(subgroup * MATRIX_M * SUM_PITCH, SUM_PITCH, sum_$i$_$c$);
  workgroupBarrier();
  for (var i = lane; i < MATRIX_M * SUM_WIDTH; i += LANES) {
    let strip_row = i / SUM_WIDTH;
    let row = row_from + $i$u * MATRIX_M + strip_row;
    let pair = $c$u * (MATRIX_N / 2u) + 2u * (i % SUM_WIDTH);
    let v = bitcast<vec4<f32>>(staged[(subgroup * MATRIX_M + strip_row) * SUM_PITCH + i % SUM_WIDTH]) * factors[row];
    if (row % QUERIES < tile.rows) {
      let to = (tile.first_row + row % QUERIES) * params.out_stride + (first_head + row / QUERIES) * HALF + pair;
      if (pair < HALF) { out[to] = v.xy; }
      if (pair + 1u < HALF) { out[to + 1u] = v.zw; }
    }
  }
//#endrepeat
//#endrepeat
}
