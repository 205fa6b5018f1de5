// For drivers that run shaders on the CPU. What costs there is the number of loads, not their bytes: every load is a
// gather over the subgroup, even of one address. So a lane makes outputs of its own, and both operands are loaded once a
// subgroup: 16 bytes of weights a lane, from rows that lie side by side, and numbers of x one a lane, which the lanes
// then show each other. No barrier, no sum across lanes. A subgroup makes MT rows of x times RB blocks of LANES outputs.
// With both operands in 8 bits (dot8) a load brings 16 columns of either, which are multiplied four at a time.
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#include matmul/matmul.wgsl
//#include matmul/finish_lane.wgsl
//#if dot8
//#include matmul/quantized_rows.wgsl
alias Sum = i32;
//#else
@group(0) @binding(2) var<storage, read> x: array<f32>;  // [m][4 * x_stride4]
alias Sum = f32;
//#endif
//#if norm
@group(0) @binding(5) var<storage, read> gamma: array<f32>;  // [4 * x_stride4]
//#if bias
fn constant_pair(i: u32) -> vec2<f32> { return vec2<f32>(gamma[2u * i], gamma[2u * i + 1u]); }
//#endif
//#endif

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // Workgroups run in order of x: those that share weights come one after another.
  let id = workgroup.y * grid.x + workgroup.x;
  let m0 = row_begin() + (id % grid.y) * MT;
  let block = (id / grid.y) * RB;
  let last_row = row_end() - 1u;
  let last_block = (params.n - 1u) / LANES;
//#repeat m MT
//#if dot8
  let x$m$ = min(m0 + $m$u, last_row) * params.x_stride4 + 1u;
//#else
  let x$m$ = x_row(min(m0 + $m$u, last_row)) * params.x_stride4 * 4u + lane;
//#endif
//#endrepeat
//#repeat r RB
  let w$r$ = weight_index(min(block + $r$u, last_block) * LANES + lane, 0u);
//#endrepeat
//#repeat m MT
//#if norm
  var squares$m$ = 0.0;
//#endif
//#endrepeat
//#if quantized
//#if !dot8
//#repeat h SHARES
  let column_scale$h$ = column_scale($h$u * LANES + lane);
//#endrepeat
//#endif
//#repeat r RB
  let first$r$ = scale_index(min(block + $r$u, last_block) * LANES + lane);
//#endrepeat
//#repeat m MT
//#repeat r RB
  var total$m$_$r$ = 0.0;
//#endrepeat
//#endrepeat
  for (var group = 0u; group < MOST_TURNS; group++) {
  let group_k = group * GROUP_UNITS;
  if (group_k >= params.k8) { break; }
  // Products of a group are added before they are scaled, and its zero is taken off by the sum of x.
  let group_end = min(group_k + GROUP_UNITS, params.k8);
//#repeat m MT
//#if !dot8
  var x_sum$m$ = 0.0;
//#endif
//#repeat r RB
  var s$m$_$r$ = Sum();
//#endrepeat
//#endrepeat
  for (var turn = 0u; turn < MOST_TURNS; turn++) {
  let first_k = group_k + turn * UNITS;
  if (first_k >= group_end) { break; }
//#else
//#repeat m MT
//#repeat r RB
  var s$m$_$r$ = 0.0;
//#endrepeat
//#endrepeat
  for (var turn = 0u; turn < MOST_TURNS; turn++) {
  let first_k = turn * UNITS;
  if (first_k >= params.k8) { break; }
//#endif
//#repeat d CHUNKS
    {
//#if chunked
//#repeat r RB
    let c$r$ = weights[w$r$ / CHUNK_UNITS + (first_k / CHUNK_UNITS + $d$u) * LANES];
//#endrepeat
//#endif
//#if dot8
//#repeat m MT
    let v$m$ = x[x$m$ + first_k / CHUNK_UNITS + $d$u];
//#endrepeat
//#repeat r RB
    let q$r$ = c$r$ ^ vec4<u32>(SIGNED);
//#repeat m MT
//#repeat j SQUARE
    s$m$_$r$ += dot4I8Packed(v$m$[$j$], q$r$[$j$]);
//#endrepeat
//#endrepeat
//#endrepeat
//#else
//#repeat e CHUNK_LOADS
    {
    let k = first_k + $d$u * CHUNK_LOADS + $e$u;
//#repeat h SHARES
//#if norm
    let g$h$ = gamma[8u * k + $h$u * LANES + lane];
//#endif
//#repeat m MT
//#if norm
    let raw$m$_$h$ = x[x$m$ + 8u * k + $h$u * LANES];
    squares$m$ += raw$m$_$h$ * raw$m$_$h$;
    let v$m$_$h$ = raw$m$_$h$ * g$h$;
//#else
    let v$m$_$h$ = x[x$m$ + 8u * k + $h$u * LANES];
//#endif
//#if quantized
    x_sum$m$ += v$m$_$h$;
    let u$m$_$h$ = v$m$_$h$ * column_scale$h$;
//#else
    let u$m$_$h$ = v$m$_$h$;
//#endif
//#endrepeat
//#endrepeat
//#repeat r RB
//#if chunked
    let p$r$ = chunk_unit(c$r$, $e$u);
//#elif quantized
    let p$r$ = load_unit(w$r$ + (k / CHUNK_UNITS) * LANES * CHUNK_UNITS + k % CHUNK_UNITS);
//#else
    let p$r$ = load_unit(w$r$ + k * LANES);
//#endif
//#endrepeat
//#repeat h SHARES
//#repeat c LANE_PAIRS
    {
//#repeat r RB
      let q$r$ = unpack_pair(p$r$, $h$u * LANE_PAIRS + $c$u);
//#endrepeat
//#repeat m MT
      let a$m$ = subgroupBroadcast(u$m$_$h$, 2u * $c$u);
      let b$m$ = subgroupBroadcast(u$m$_$h$, 2u * $c$u + 1u);
//#repeat r RB
      s$m$_$r$ += q$r$.x * a$m$;
      s$m$_$r$ += q$r$.y * b$m$;
//#endrepeat
//#endrepeat
    }
//#endrepeat
//#endrepeat
    }
//#endrepeat
//#endif
    }
//#endrepeat
  }
//#if quantized
//#repeat r RB
  let scale$r$ = load_scale(first$r$, group);
//#endrepeat
//#repeat m MT
//#if !dot8
  let whole$m$ = subgroupAdd(x_sum$m$);
//#elif !symmetric
  let whole$m$ = x_sum(sums_at(min(m0 + $m$u, last_row)), group);
//#endif
//#repeat r RB
//#if !dot8
  total$m$_$r$ += scale$r$.x * (s$m$_$r$ - scale$r$.y * whole$m$);
//#elif symmetric
  total$m$_$r$ += scale$r$.x * f32(s$m$_$r$);
//#else
  total$m$_$r$ += scale$r$.x * f32(s$m$_$r$ + (128 - i32(scale$r$.y)) * whole$m$);
//#endif
//#endrepeat
//#endrepeat
  }
//#repeat m MT
//#repeat r RB
  var s$m$_$r$ = total$m$_$r$;
//#endrepeat
//#endrepeat
//#endif
//#if norm
//#repeat m MT
  let scale$m$ = norm_scale(subgroupAdd(squares$m$));
//#repeat r RB
  s$m$_$r$ *= scale$m$;
//#endrepeat
//#endrepeat
//#endif
  // In a loop of unknown length, so that compilers write what follows a sum once and not for every sum.
  var sums: array<f32, MT * RB>;
//#repeat m MT
//#repeat r RB
  sums[$m$u * RB + $r$u] = s$m$_$r$;
//#endrepeat
//#endrepeat
  let count = min(MT, last_row + 1u - m0) * RB;
  for (var i = 0u; i < count; i++) {
    let m = m0 + i / RB;
//#if dot8
    let sum = sums[i] * x_scale(m);
//#else
    let sum = sums[i];
//#endif
    finish_lane(m, (block + i % RB) * LANES + lane, sum);
  }
}
