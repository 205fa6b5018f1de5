// Attention for drivers that run shaders on the CPU, one subgroup a workgroup. As in matmul_lanes.wgsl, what counts is
// the number of loads: a lane scores keys of its own and owns pairs of output columns, every key and value is loaded
// once for MT rows of queries, and lanes show each other what they hold. No barrier.
// Prefill: the rows are neighbouring tokens of one head. Decode: the GROUP query heads that share a key head; the context
// is cut into parts, which attention_reduce joins.
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#include common/step.wgsl
//#include common/row.wgsl
//#include common/unpack.wgsl
//#include attention/attention.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
//#if decode
@group(0) @binding(2) var<storage, read> rows: array<Row>;
//#else
struct Tile { first_row: u32, rows: u32, slot: u32, first_position: u32 }
@group(0) @binding(2) var<storage, read> tiles: array<Tile>;
//#endif
@group(0) @binding(3) var<storage, read> block_tables: array<u32>;  // [slot][blocks_per_slot]
@group(0) @binding(4) var<storage, read> queries: array<f32>;       // [tokens][heads][HDP]
//#if decode
// [decode row][head][split]: HALF pairs of weighted values, then one pair (maximum score, sum of weights).
@group(0) @binding(7) var<storage, read_write> partials: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read_write> out: array<vec2<f32>>; // [tokens][heads][HALF], rows of one part
//#else
@group(0) @binding(7) var<storage, read_write> out: array<vec2<f32>>; // [tokens][heads][HALF]
//#endif
//#include attention/kv.wgsl

const FAR: f32 = -1e30;
const KEYS: u32 = KB * LANES;  // keys scored at a time

// What a lane loads of a value and owns of the output: a pair of columns, or the four of a word of int8.
//#if kv_int8
alias Part = vec4<f32>;
const PARTS: u32 = HDP / 4u;
fn load_part(value: u32, part: u32) -> Part { return load_value_quad(value, min(part, PARTS - 1u)); }
fn put_out(row: u32, part: u32, v: Part) {
  if (2u * part < HALF) { out[row + 2u * part] = v.xy; }
  if (2u * part + 1u < HALF) { out[row + 2u * part + 1u] = v.zw; }
}
//#if decode
fn put_partial(row: u32, part: u32, v: Part) {
  if (2u * part < HALF) { partials[row + 2u * part] = v.xy; }
  if (2u * part + 1u < HALF) { partials[row + 2u * part + 1u] = v.zw; }
}
//#endif
//#else
alias Part = vec2<f32>;
const PARTS: u32 = HDP / 2u;
fn load_part(value: u32, part: u32) -> Part { return load_value(value, min(part, PARTS - 1u)); }
fn put_out(row: u32, part: u32, v: Part) {
  if (part < HALF) { out[row + part] = v; }
}
//#if decode
fn put_partial(row: u32, part: u32, v: Part) {
  if (part < HALF) { partials[row + part] = v; }
}
//#endif
//#endif

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
//#if decode
  let split = group.x;
  let kv_head = group.y;
  let row = rows[group.z];
  let table_from = row.slot * step.blocks_per_slot;
//#if window
  let lowest = first_seen(row.position);
  let begin = max(split * step.split_tokens, lowest);
  let end = min((split + 1u) * step.split_tokens, row.position + 1u);
  if (begin >= end) { return; }  // the step has longer contexts than this row's, or this part is out of its sight
  let whole = lowest / step.split_tokens == row.position / step.split_tokens;
//#else
  let begin = split * step.split_tokens;
  if (begin > row.position) { return; }  // the step has longer contexts than this row's
  let end = min(begin + step.split_tokens, row.position + 1u);
  // The row's own context decides, not the longest of the step: its numbers must not depend on its neighbours.
  let whole = row.position < step.split_tokens;
//#endif
//#repeat m MT
  let q$m$ = (group.z * HEADS + kv_head * MT + $m$u) * HDP + lane;
//#endrepeat
//#else
  let tile = tiles[group.x];
  let head = group.y;
  let kv_head = head / (HEADS / KV_HEADS);
  let table_from = tile.slot * step.blocks_per_slot;
  let row = group.z * MT;
  if (row >= tile.rows) { return; }
//#if window
  // Where a tile begins depends on its rows, but not where keys are divided: those out of a row's sight add nothing.
  let begin = first_seen(tile.first_position + row) / KEYS * KEYS;
//#else
  let begin = 0u;
//#endif
  let end = tile.first_position + min(row + MT, tile.rows);
//#repeat m MT
  let position$m$ = tile.first_position + row + $m$u;
//#if window
  let lowest$m$ = first_seen(position$m$);
//#endif
  let q$m$ = ((tile.first_row + min(row + $m$u, tile.rows - 1u)) * HEADS + head) * HDP + lane;
//#endrepeat
//#endif

//#repeat m MT
  var best$m$ = FAR;
  var total$m$ = 0.0;  // of this lane's keys
//#repeat d PART_BLOCKS
  var o$m$_$d$ = Part();
//#endrepeat
//#endrepeat
  for (var first = begin; first < end; first += KEYS) {
//#repeat b KB
    let token$b$ = first + $b$u * LANES + lane;
    let key$b$ = kv_row(table_from, min(token$b$, end - 1u), kv_head);
//#if kv_int8
    let score_scale$b$ = params.scale * key_scale(key$b$);
    let weight_scale$b$ = value_scale(key$b$);
//#else
    let score_scale$b$ = params.scale;
//#endif
//#repeat m MT
    var s$m$_$b$ = 0.0;
//#endrepeat
//#endrepeat
    for (var i = 0u; i < head_eighths(); i++) {
//#repeat m MT
//#repeat h SHARES
      let v$m$_$h$ = queries[q$m$ + 8u * i + $h$u * LANES];
//#endrepeat
//#endrepeat
//#repeat b KB
      let k$b$ = load_key_unit(key$b$, i);
//#endrepeat
//#repeat h SHARES
//#repeat c LANE_PAIRS
      {
//#repeat b KB
        let p$b$ = unpack_key_pair(k$b$, $h$u * LANE_PAIRS + $c$u);
//#endrepeat
//#repeat m MT
        let x$m$ = subgroupBroadcast(v$m$_$h$, 2u * $c$u);
        let y$m$ = subgroupBroadcast(v$m$_$h$, 2u * $c$u + 1u);
//#repeat b KB
        s$m$_$b$ += p$b$.x * x$m$;
        s$m$_$b$ += p$b$.y * y$m$;
//#endrepeat
//#endrepeat
      }
//#endrepeat
//#endrepeat
    }

//#repeat m MT
    var top$m$ = best$m$;
//#repeat b KB
//#if decode
    s$m$_$b$ = select(FAR, s$m$_$b$ * score_scale$b$, token$b$ < end);
//#else
    s$m$_$b$ = select(FAR, s$m$_$b$ * score_scale$b$, token$b$ <= min(position$m$, end - 1u));
//#if window
    s$m$_$b$ = select(FAR, s$m$_$b$, token$b$ >= lowest$m$);
//#endif
//#endif
    top$m$ = max(top$m$, s$m$_$b$);
//#endrepeat
    top$m$ = subgroupMax(top$m$);
    let shrink$m$ = exp(best$m$ - top$m$);
    best$m$ = top$m$;
    total$m$ *= shrink$m$;
//#repeat b KB
    // Keys scored FAR come out as 0, since a row's part of the context always has a key that counts.
//#if window
    // But of a window, it may come later.
    s$m$_$b$ = select(0.0, exp(s$m$_$b$ - top$m$), s$m$_$b$ > FAR);
//#else
    s$m$_$b$ = exp(s$m$_$b$ - top$m$);
//#endif
    total$m$ += s$m$_$b$;
//#if kv_int8
    s$m$_$b$ *= weight_scale$b$;
//#endif
//#endrepeat
//#repeat d PART_BLOCKS
    o$m$_$d$ *= shrink$m$;
//#endrepeat
//#endrepeat

//#repeat b KB
    let count$b$ = min(LANES, end - min(end, first + $b$u * LANES));
    for (var j = 0u; j < count$b$; j++) {
      let value = subgroupShuffle(key$b$, j);
//#repeat d PART_BLOCKS
      let v$d$ = load_part(value, $d$u * LANES + lane);
//#endrepeat
//#repeat m MT
      let w$m$ = subgroupShuffle(s$m$_$b$, j);
//#repeat d PART_BLOCKS
      o$m$_$d$ += w$m$ * v$d$;
//#endrepeat
//#endrepeat
    }
//#endrepeat
  }

//#repeat m MT
  let all$m$ = subgroupAdd(total$m$);
//#if decode
  let head$m$ = kv_head * MT + $m$u;
  let to$m$ = ((group.z * HEADS + head$m$) * step.splits + split) * (HALF + 1u);
//#repeat d PART_BLOCKS
  if (whole) {
    put_out(group.z * params.out_stride + head$m$ * HALF, $d$u * LANES + lane, o$m$_$d$ / all$m$);
  } else {
    put_partial(to$m$, $d$u * LANES + lane, o$m$_$d$);
  }
//#endrepeat
  if (!whole && lane == 0u) { partials[to$m$ + HALF] = vec2<f32>(best$m$, all$m$); }
//#else
  if (row + $m$u < tile.rows) {
    let to = (tile.first_row + row + $m$u) * params.out_stride + head * HALF;
//#repeat d PART_BLOCKS
    put_out(to, $d$u * LANES + lane, o$m$_$d$ / all$m$);
//#endrepeat
  }
//#endif
//#endrepeat
}
