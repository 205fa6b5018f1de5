// Attention of generated tokens on a GPU, where what counts is how many loads are under way. TEAM lanes share a key and
// its value, EIGHTHS times eight columns each; a workgroup has ROWS of them at once and EACH in turn, all asked for before
// the first is used. Every team keeps a maximum and sums of its own, so that there is no barrier until the end. The
// HEADS_EACH query heads of a workgroup read each key and value once.
//
// A context is cut into parts, a workgroup each, and the one that finishes last joins them. WGSL orders nothing between
// workgroups but what happens to one atomic word, so nothing else is relied on: a word of a result is 0 until it has come,
// a result of 0 is written as -0, and who joins them waits for each word by itself and puts 0 back for the next launch,
// which the queue orders behind this one. Parts are added in their order, whoever was last.
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#include common/loops.wgsl
//#include common/step.wgsl
//#include common/row.wgsl
//#include attention/attention.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> block_tables: array<u32>;  // [slot][blocks_per_slot]
@group(0) @binding(4) var<storage, read> queries: array<vec4<f32>>; // [tokens][heads][HDP / 4]
// All 0 between launches. [decode row][workgroup of heads] parts that are done, then [decode row][head][part] columns,
// maximum score, sum of weights.
@group(0) @binding(7) var<storage, read_write> partials: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read_write> out: array<f32>; // [tokens][heads][columns]
//#include attention/kv_wide.wgsl

const GROUPS: u32 = HEADS / HEADS_EACH;
const ROWS: u32 = THREADS / TEAM;
const TILE: u32 = ROWS * EACH;
const COLUMNS: u32 = 2u * HALF;
const PART_WORDS: u32 = COLUMNS + 2u;
const PATIENCE: u32 = 0x100000u;
const FAR: f32 = -1e30;
const NOT_A_NUMBER: u32 = 0x7fc00000u;

var<workgroup> gathered: array<vec4<f32>, ROWS * HEADS_TOGETHER * (HDP / 4u)>;
var<workgroup> bests: array<f32, HEADS_EACH * MOST_PARTS>;    // of teams, then of parts
var<workgroup> totals: array<f32, HEADS_EACH * MOST_PARTS>;
var<workgroup> factors: array<f32, HEADS_EACH * MOST_PARTS>;
var<workgroup> finished: u32;

fn team_sum(value: f32) -> f32 {
  var sum = value;
//#repeat b SPANS
  sum += subgroupShuffleXor(sum, 1u << $b$u);
//#endrepeat
  return sum;
}

fn row_in(block: u32, token: u32, kv_head: u32) -> u32 {
  return (block * KV_HEADS + kv_head) * BLOCK_TOKENS + token % BLOCK_TOKENS;
}

fn put_partial(at: u32, value: f32) {
  let bits = bitcast<u32>(value);
  atomicStore(&partials[at], select(bits, 0x80000000u, bits == 0u));
}

// The word at a place, of which `seen` was seen.
fn arrived(at: u32, seen: u32) -> f32 {
  var word = seen;
  for (var i = 0u; i < PATIENCE; i++) {
    if (word != 0u) { break; }
    word = atomicAdd(&partials[at], 0u);
  }
  return bitcast<f32>(select(word, NOT_A_NUMBER, word == 0u));
}

// Of `count` maxima of each head: the factors that make their sums comparable.
fn compare(place: u32, count: u32) {
  for (var n = 0u; n < ENDLESS; n++) {
    let i = place + n * THREADS;
    if (i >= HEADS_EACH * count) { break; }
    let begin = i / count * MOST_PARTS;
    var best = FAR;
    for (var s = 0u; s < ENDLESS; s++) {
      if (s >= count) { break; }
      best = max(best, bests[begin + s]);
    }
    factors[begin + i % count] = exp(bests[begin + i % count] - best);
  }
}

// The largest of `count` maxima of a head, and the sum of all weights relative to it.
fn best_and_total(head: u32, count: u32) -> vec2<f32> {
  var best = FAR;
  var total = 0.0;
  for (var s = 0u; s < ENDLESS; s++) {
    if (s >= count) { break; }
    best = max(best, bests[head * MOST_PARTS + s]);
    total += factors[head * MOST_PARTS + s] * totals[head * MOST_PARTS + s];
  }
  return vec2<f32>(best, total);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) lanes: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let place = subgroup * lanes + lane;
  let own = place / TEAM;
  let column = place % TEAM;
  let split = group.x;
  let first_head = group.y * HEADS_EACH;
  let kv_head = first_head / (HEADS / KV_HEADS);
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

  // Where a tile's keys are is asked for a tile ahead.
//#repeat i EACH
  var block$i$ = block_tables[table_from + min(begin + $i$u * ROWS + own, end - 1u) / BLOCK_TOKENS];
//#endrepeat
  let q_from = (group.z * HEADS + first_head) * (HDP / 4u);
//#repeat e EIGHTHS
  let at$e$ = min($e$u * TEAM + column, HDP / 8u - 1u);
  let weight$e$ = select(0.0, params.scale, $e$u * TEAM + column < HDP / 8u);
//#repeat g HEADS_EACH
  let ql$g$_$e$ = queries[q_from + $g$u * (HDP / 4u) + 2u * at$e$] * weight$e$;
  let qh$g$_$e$ = queries[q_from + $g$u * (HDP / 4u) + 2u * at$e$ + 1u] * weight$e$;
//#endrepeat
//#endrepeat
  // Indexed by constants only, which compilers keep in registers.
  var sums = array<Eight, HEADS_EACH * EIGHTHS>();
//#repeat g HEADS_EACH
  var best$g$ = FAR;
  var total$g$ = 0.0;
//#endrepeat

  for (var tile = 0u; tile < ENDLESS; tile++) {
    let first = begin + tile * TILE + own;
    if (begin + tile * TILE >= end) { break; }
//#repeat i EACH
    let token$i$ = first + $i$u * ROWS;
    let place$i$ = row_in(block$i$, min(token$i$, end - 1u), kv_head);
//#endrepeat
//#repeat i EACH
//#repeat e EIGHTHS
    let k$i$_$e$ = key_at(place$i$, at$e$);
//#endrepeat
//#endrepeat
//#repeat i EACH
//#repeat e EIGHTHS
    let v$i$_$e$ = value_at(place$i$, at$e$);
//#endrepeat
//#endrepeat
//#if kv_int8
//#repeat i EACH
    let ks$i$ = key_scale(place$i$);
    let vs$i$ = value_scale(place$i$);
//#endrepeat
//#endif
//#repeat i EACH
    block$i$ = block_tables[table_from + min(token$i$ + TILE, end - 1u) / BLOCK_TOKENS];
//#endrepeat

//#repeat i EACH
//#repeat g HEADS_EACH
    var s$g$_$i$ = 0.0;
//#endrepeat
//#repeat e EIGHTHS
    {
      let k = eight_of(k$i$_$e$);
//#repeat g HEADS_EACH
      s$g$_$i$ += dot(ql$g$_$e$, k.lo) + dot(qh$g$_$e$, k.hi);
//#endrepeat
    }
//#endrepeat
//#endrepeat
//#repeat g HEADS_EACH
//#repeat i EACH
    s$g$_$i$ = team_sum(s$g$_$i$);
//#if kv_int8
    s$g$_$i$ *= ks$i$;
//#endif
    s$g$_$i$ = select(FAR, s$g$_$i$, token$i$ < end);
//#endrepeat
    {
      var top = best$g$;
//#repeat i EACH
      top = max(top, s$g$_$i$);
//#endrepeat
      let shrink = exp(best$g$ - top);
      best$g$ = top;
      total$g$ *= shrink;
//#repeat e EIGHTHS
      sums[$g$u * EIGHTHS + $e$u].lo *= shrink;
      sums[$g$u * EIGHTHS + $e$u].hi *= shrink;
//#endrepeat
//#repeat i EACH
      // A team may have no key that counts, so FAR alone does not make a weight 0.
      s$g$_$i$ = select(0.0, exp(s$g$_$i$ - top), token$i$ < end);
      total$g$ += s$g$_$i$;
//#if kv_int8
      s$g$_$i$ *= vs$i$;
//#endif
//#endrepeat
    }
//#endrepeat
//#repeat i EACH
//#repeat e EIGHTHS
    {
      let v = eight_of(v$i$_$e$);
//#repeat g HEADS_EACH
      sums[$g$u * EIGHTHS + $e$u].lo += s$g$_$i$ * v.lo;
      sums[$g$u * EIGHTHS + $e$u].hi += s$g$_$i$ * v.hi;
//#endrepeat
    }
//#endrepeat
//#endrepeat
  }

  if (column == 0u) {
//#repeat g HEADS_EACH
    bests[$g$u * MOST_PARTS + own] = best$g$;
    totals[$g$u * MOST_PARTS + own] = total$g$;
//#endrepeat
  }
  workgroupBarrier();
  compare(place, ROWS);
  // The row's own context decides, not the longest of the step: its numbers must not depend on its neighbours.
//#if window
  let part_of = split - lowest / step.split_tokens;
  let parts = (context + step.split_tokens - 1u) / step.split_tokens - lowest / step.split_tokens;
//#else
  let part_of = split;
  let parts = (context + step.split_tokens - 1u) / step.split_tokens;
//#endif
  let counts = step.decode_rows * GROUPS;
  let part_from = counts + (group.z * HEADS + first_head) * step.splits * PART_WORDS;
  let out_from = group.z * params.out_stride * 2u + first_head * COLUMNS;
  for (var b = 0u; b < BATCHES; b++) {
  if (b > 0u) { workgroupBarrier(); }
//#repeat b BATCHES
  if (b == $b$u) {
//#repeat h HEADS_TOGETHER
//#repeat e EIGHTHS
    if ($e$u * TEAM + column < HDP / 8u) {
      let to = (own * HEADS_TOGETHER + $h$u) * (HDP / 4u) + 2u * at$e$;
      gathered[to] = sums[($b$u * HEADS_TOGETHER + $h$u) * EIGHTHS + $e$u].lo;
      gathered[to + 1u] = sums[($b$u * HEADS_TOGETHER + $h$u) * EIGHTHS + $e$u].hi;
    }
//#endrepeat
//#endrepeat
  }
//#endrepeat
  workgroupBarrier();
  for (var n = 0u; n < (HEADS_TOGETHER * HDP + THREADS - 1u) / THREADS; n++) {
    let i = place + n * THREADS;
    let c = i % HDP;
    let head = b * HEADS_TOGETHER + i / HDP;
    if (i < HEADS_TOGETHER * HDP && c < COLUMNS) {
      var sum = 0.0;
      for (var r = 0u; r < ROWS; r++) {
        let at = (r * HEADS_TOGETHER + i / HDP) * (HDP / 4u) + c / 4u;
        sum += factors[head * MOST_PARTS + r] * gathered[at][c % 4u];
      }
      let all = best_and_total(head, ROWS);
      if (parts == 1u) {
        out[out_from + head * COLUMNS + c] = sum / all.y;
      } else {
        let to = part_from + (head * step.splits + part_of) * PART_WORDS;
        put_partial(to + c, sum);
        if (c == 0u) {
          put_partial(to + COLUMNS, all.x);
          put_partial(to + COLUMNS + 1u, all.y);
        }
      }
    }
  }
  }
  if (parts == 1u) { return; }

  workgroupBarrier();
  if (place == 0u) {
    let counter = group.z * GROUPS + group.y;
    finished = atomicAdd(&partials[counter], 1u) + 1u;
    if (finished == parts) { atomicStore(&partials[counter], 0u); }
  }
  if (workgroupUniformLoad(&finished) < parts) { return; }

  for (var n = 0u; n < ENDLESS; n++) {
    let i = place + n * THREADS;
    if (i >= HEADS_EACH * parts) { break; }
    let at = part_from + (i / parts * step.splits + i % parts) * PART_WORDS + COLUMNS;
    let best = atomicLoad(&partials[at]);
    let total = atomicLoad(&partials[at + 1u]);
    bests[i / parts * MOST_PARTS + i % parts] = arrived(at, best);
    totals[i / parts * MOST_PARTS + i % parts] = arrived(at + 1u, total);
    atomicStore(&partials[at], 0u);
    atomicStore(&partials[at + 1u], 0u);
  }
  workgroupBarrier();
  compare(place, parts);
  workgroupBarrier();
  for (var n = 0u; n < (HEADS_EACH * COLUMNS + THREADS - 1u) / THREADS; n++) {
    let i = place + n * THREADS;
    if (i >= HEADS_EACH * COLUMNS) { break; }
    let head = i / COLUMNS;
    let origin = part_from + head * step.splits * PART_WORDS + i % COLUMNS;
    var sum = 0.0;
    for (var c = 0u; c < (MOST_PARTS + JOINED - 1u) / JOINED; c++) {
      let part = c * JOINED;
      if (part >= parts) { break; }
//#repeat j JOINED
      let at$j$ = origin + min(part + $j$u, parts - 1u) * PART_WORDS;
      let word$j$ = atomicLoad(&partials[at$j$]);
//#endrepeat
//#repeat j JOINED
      if (part + $j$u < parts) {
        sum += factors[head * MOST_PARTS + part + $j$u] * arrived(at$j$, word$j$);
        atomicStore(&partials[at$j$], 0u);
      }
//#endrepeat
    }
    out[out_from + i] = sum / best_and_total(head, parts).y;
  }
}
