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
//#include attention/attention.wgsl
//#include common/matrix_staged.wgsl
//#include common/halves.wgsl
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
//#include attention/prompt_out.wgsl
//#include attention/kv_row.wgsl

const FAR: f32 = -1e30;
const LOG2_E: f32 = 1.4426950408889634;
// In `staged`: queries first, in their place then keys and, once they have been multiplied, the softmax's weights; from
// VALUES_AT values; from SCORES_AT scores, in their place then sums that are scaled or stored.
const EIGHTHS: u32 = HDP / 8u;          // elements of a row that are there
const PITCH: u32 = (WIDTH / 8u) | 1u;   // WIDTH: HDP padded to whole matrices
const STEP: u32 = MATRIX_K / 8u;
const SCORE_PITCH: u32 = KEYS / 4u + 1u;
const WEIGHT_PITCH: u32 = (KEYS / 8u) | 1u;
const SUM_WIDTH: u32 = MATRIX_N / 4u;
const SUM_PITCH: u32 = SUM_WIDTH + 1u;
// TEAM lanes share a row of scores: each looks at all of it for the largest and makes SEGMENT of its weights. So no lane
// needs to know what another found: subgroups' arithmetic beside matrices crashes some drivers' compilers.
const SEGMENT: u32 = KEYS / TEAM;
var<workgroup> factors: array<f32, ROWS * TEAM>;  // by stacked row; at the end, what each lane of its team adds to its sum
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

@compute @workgroup_size(THREADS)
//#if pinned
@subgroup_size(LANES)
//#endif
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
//#if subgroup_id
  @builtin(subgroup_id) own_subgroup: u32,
  @builtin(subgroup_invocation_id) own_lane: u32,
//#endif
  @builtin(local_invocation_index) thread: u32,
) {
//#if subgroup_id
  // Bounds that hold anyway, said so that Dawn leaves out the checks of what follows from them.
  let subgroup = min(own_subgroup, THREADS / LANES - 1u);
  let lane = min(own_lane, LANES - 1u);
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
  let strip_at = SCORES_AT + subgroup * MATRIX_M * SUM_PITCH;

  for (var load = 0u; load < QUERY_LOADS; load++) {
    let i = load * THREADS + thread;
    if (i >= ROWS * (WIDTH / 8u)) { break; }
    let row = i / (WIDTH / 8u);
    let col = i % (WIDTH / 8u);
    let token = tile.first_row + min(row % QUERIES, tile.rows - 1u);
    var q = vec4<u32>();
    if (col < EIGHTHS) {
      let at = (token * HEADS + first_head + row / QUERIES) * (HDP / 4u) + 2u * col;
      let scale = params.scale * LOG2_E;
      q = halves(queries[at] * scale, queries[at + 1u] * scale);
    }
    staged[min(row * PITCH + col, STAGED - 1u)] = q;
  }
  workgroupBarrier();
//#repeat i STRIPS
//#repeat k QK_STEPS
  let q_$i$_$k$ = subgroupMatrixLoad<Left, row_major>(&staged, (row_from + $i$u * MATRIX_M) * PITCH + $k$u * STEP, PITCH);
//#endrepeat
//#repeat c OUT_COLS
  var sum_$i$_$c$: Sum;
//#endrepeat
//#endrepeat
  // Of each row this lane has a part in: its position, reference and the sum of the lane's weights.
//#repeat r LANE_ROWS
  let row_$r$ = row_from + lane / TEAM + $r$u * (LANES / TEAM);
  let position_$r$ = tile.first_position + min(row_$r$ % QUERIES, tile.rows - 1u);
//#if window
  let lowest_$r$ = vec4<u32>(first_seen(position_$r$));
//#endif
  var best_$r$ = FAR;
  var total_$r$ = 0.0;
//#endrepeat

//#if window
  let begin = first_seen(tile.first_position) / KEYS * KEYS;
//#else
  const begin = 0u;
//#endif
  for (var turn = 0u; turn < MOST_TURNS; turn++) {
    let first = begin + turn * KEYS;
    if (first >= context) { break; }
    workgroupBarrier();
    for (var load = 0u; load < KEY_LOADS; load++) {
      let i = load * THREADS + thread;
      if (i >= KEYS * (WIDTH / 8u)) { break; }
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
      let to = min(row * PITCH + col, VALUES_AT - 1u);
      staged[to] = k;
      staged[VALUES_AT + to] = v;
    }
    workgroupBarrier();
    if (thread == 0u) { atomicStore(&raised, 0u); }

//#repeat j KEY_COLS
    {
//#repeat i STRIPS
      var score_$i$ = Sum();  // Dawn zeroes one declared without a value on the loop's first turn only
//#endrepeat
//#repeat k QK_STEPS
      let key_$k$ = subgroupMatrixLoad<Right, col_major>(&staged, $j$u * MATRIX_N * PITCH + $k$u * STEP, PITCH);
//#repeat i STRIPS
      score_$i$ = subgroupMatrixMultiplyAccumulate(q_$i$_$k$, key_$k$, score_$i$);
//#endrepeat
//#endrepeat
//#repeat i STRIPS
      subgroupMatrixStore<row_major>(
        &staged, SCORES_AT + (row_from + $i$u * MATRIX_M) * SCORE_PITCH + $j$u * SUM_WIDTH, score_$i$, SCORE_PITCH);
//#endrepeat
    }
//#endrepeat
    workgroupBarrier();

//#repeat r LANE_ROWS
    {
      let here = SCORES_AT + row_$r$ * SCORE_PITCH;
      let limit = vec4<u32>(position_$r$);
      var most = vec4<f32>(FAR);
      // The other parts of the row first, its own last, which stays at hand.
//#repeat o OTHERS
      for (var p = 0u; p < SEGMENT / 4u; p++) {
        let at = ((lane % TEAM + 1u + $o$u) % TEAM) * SEGMENT + 4u * p;
        var score = bitcast<vec4<f32>>(staged[here + at / 4u]);
//#if kv_int8
        score *= key_scales_at(at);
//#endif
//#if window
        score = select(vec4<f32>(FAR), score, vec4<u32>(first + at) + vec4<u32>(0u, 1u, 2u, 3u) >= lowest_$r$);
//#endif
        most = max(most, select(vec4<f32>(FAR), score, vec4<u32>(first + at) + vec4<u32>(0u, 1u, 2u, 3u) <= limit));
      }
//#endrepeat
      let own = (lane % TEAM) * SEGMENT;
//#repeat p SEGMENT_PAIRS
      let numbers_$p$ = vec4<u32>(first + own + 8u * $p$u) + vec4<u32>(0u, 1u, 2u, 3u);
      var lo_$p$ = bitcast<vec4<f32>>(staged[here + own / 4u + 2u * $p$u]);
      var hi_$p$ = bitcast<vec4<f32>>(staged[here + own / 4u + 2u * $p$u + 1u]);
//#if kv_int8
      lo_$p$ *= key_scales_at(own + 8u * $p$u);
      hi_$p$ *= key_scales_at(own + 8u * $p$u + 4u);
//#endif
      lo_$p$ = select(vec4<f32>(FAR), lo_$p$, numbers_$p$ <= limit);
      hi_$p$ = select(vec4<f32>(FAR), hi_$p$, numbers_$p$ + 4u <= limit);
//#if window
      lo_$p$ = select(vec4<f32>(FAR), lo_$p$, numbers_$p$ >= lowest_$r$);
      hi_$p$ = select(vec4<f32>(FAR), hi_$p$, numbers_$p$ + 4u >= lowest_$r$);
//#endif
      most = max(most, max(lo_$p$, hi_$p$));
//#endrepeat
      let highest = max(max(most.x, most.y), max(most.z, most.w));
      var factor = 1.0;
      if (highest > best_$r$ + f32(SLACK)) {
        factor = exp2(best_$r$ - highest);
        best_$r$ = highest;
        atomicStore(&raised, 1u);
      }
      if (lane % TEAM == 0u) { factors[row_$r$] = factor; }
      var weights = vec4<f32>();
//#repeat p SEGMENT_PAIRS
//#if window
      // Where a row has seen no key yet its reference is FAR itself.
      let weight_lo_$p$ = select(vec4<f32>(), exp2(lo_$p$ - best_$r$), lo_$p$ > vec4<f32>(FAR));
      let weight_hi_$p$ = select(vec4<f32>(), exp2(hi_$p$ - best_$r$), hi_$p$ > vec4<f32>(FAR));
//#else
      let weight_lo_$p$ = exp2(lo_$p$ - best_$r$);
      let weight_hi_$p$ = exp2(hi_$p$ - best_$r$);
//#endif
      weights += weight_lo_$p$ + weight_hi_$p$;
      staged[row_$r$ * WEIGHT_PITCH + own / 8u + $p$u] = halves(weight_lo_$p$, weight_hi_$p$);
//#endrepeat
      total_$r$ = total_$r$ * factor + (weights.x + weights.y) + (weights.z + weights.w);
    }
//#endrepeat
    if (workgroupUniformLoad(&raised) != 0u && turn > 0u) {
//#repeat i STRIPS
//#repeat c OUT_COLS
      subgroupMatrixStore<row_major>(&staged, strip_at, sum_$i$_$c$, SUM_PITCH);
      workgroupBarrier();
      for (var load = 0u; load < STRIP_LOADS; load++) {
        let i = load * LANES + lane;
        if (i >= MATRIX_M * SUM_WIDTH) { break; }
        let at = strip_at + (i / SUM_WIDTH) * SUM_PITCH + i % SUM_WIDTH;
        let scaled = bitcast<vec4<f32>>(staged[at]) * factors[row_from + $i$u * MATRIX_M + i / SUM_WIDTH];
        staged[at] = bitcast<vec4<u32>>(scaled);
      }
      workgroupBarrier();
      sum_$i$_$c$ = subgroupMatrixLoad<Sum, row_major>(&staged, strip_at, SUM_PITCH);
      workgroupBarrier();
//#endrepeat
//#endrepeat
    }

//#repeat k PV_STEPS
    {
//#repeat i STRIPS
      let weight_$i$ = subgroupMatrixLoad<Left, row_major>(
        &staged, (row_from + $i$u * MATRIX_M) * WEIGHT_PITCH + $k$u * STEP, WEIGHT_PITCH);
//#endrepeat
//#repeat c OUT_COLS
      let value_$c$ = subgroupMatrixLoad<Right, row_major>(
        &staged, VALUES_AT + $k$u * MATRIX_K * PITCH + $c$u * (MATRIX_N / 8u), PITCH);
//#repeat i STRIPS
      sum_$i$_$c$ = subgroupMatrixMultiplyAccumulate(weight_$i$, value_$c$, sum_$i$_$c$);
//#endrepeat
//#endrepeat
    }
//#endrepeat
  }

  workgroupBarrier();
//#repeat r LANE_ROWS
  factors[row_$r$ * TEAM + lane % TEAM] = total_$r$;
//#endrepeat
//#repeat i STRIPS
//#repeat c OUT_COLS
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&staged, strip_at, sum_$i$_$c$, SUM_PITCH);
  workgroupBarrier();
  for (var load = 0u; load < STRIP_LOADS; load++) {
    let i = load * LANES + lane;
    if (i >= MATRIX_M * SUM_WIDTH) { break; }
    let row = row_from + $i$u * MATRIX_M + i / SUM_WIDTH;
    var total = 0.0;
    for (var t = 0u; t < TEAM; t++) { total += factors[row * TEAM + t]; }
    let v = bitcast<vec4<f32>>(staged[strip_at + (i / SUM_WIDTH) * SUM_PITCH + i % SUM_WIDTH]) * (1.0 / total);
    if (row % QUERIES < tile.rows) {
      let pair = $c$u * (MATRIX_N / 2u) + 2u * (i % SUM_WIDTH);
      let head = first_head + row / QUERIES;
      if (pair < HALF) { put_pair(tile.first_row + row % QUERIES, head, pair, v.xy); }
      if (pair + 1u < HALF) { put_pair(tile.first_row + row % QUERIES, head, pair + 1u, v.zw); }
    }
  }
//#endrepeat
//#endrepeat
}
