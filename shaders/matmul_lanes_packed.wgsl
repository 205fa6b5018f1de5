// Many rows of x in 8 bits on drivers that run shaders on the CPU: matmul_lanes.wgsl with dot products of four quants at
// a time. A lane makes outputs of its own; x is loaded a word a lane, 4 * LANES columns, which the lanes show each other.
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#include common/matmul.wgsl
//#include common/finish_lane.wgsl
//#include common/quantised_rows.wgsl

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // Workgroups run in order of x: those that share weights come one after another.
  let id = group.y * grid.x + group.x;
  let m0 = row_begin() + (id % grid.y) * MT;
  let block = (id / grid.y) * RB;
  let last_row = row_end() - 1u;
  let last_block = (params.n - 1u) / LANES;
//#repeat m MT
  let x$m$ = min(m0 + $m$u, last_row) * params.x_stride4 + 1u;
//#endrepeat
//#repeat r RB
  let w$r$ = weight_index(min(block + $r$u, last_block) * LANES + lane, 0u) / CHUNK_UNITS;
  let first$r$ = scale_index(min(block + $r$u, last_block) * LANES + lane);
//#endrepeat
//#repeat m MT
//#repeat r RB
  var total$m$_$r$ = 0.0;
//#endrepeat
//#endrepeat
  for (var group_k = 0u; group_k < params.k8; group_k += GROUP_UNITS) {
    let group_end = min(group_k + GROUP_UNITS, params.k8);
//#repeat m MT
//#repeat r RB
    var s$m$_$r$ = 0;
//#endrepeat
//#endrepeat
    // Both operands 16 bytes at a time: 16 columns.
    for (var k = group_k; k < group_end; k += CHUNK_UNITS) {
//#repeat m MT
      let v$m$ = x[x$m$ + k / CHUNK_UNITS];
//#endrepeat
//#repeat r RB
      let c$r$ = weights[w$r$ + k / CHUNK_UNITS * LANES] ^ vec4<u32>(SIGNED);
//#repeat m MT
//#repeat j SQUARE
      s$m$_$r$ += dot4I8Packed(v$m$[$j$], c$r$[$j$]);
//#endrepeat
//#endrepeat
//#endrepeat
    }
//#repeat r RB
    let scale$r$ = load_scale(first$r$, group_k / GROUP_UNITS);
//#endrepeat
//#repeat m MT
//#if symmetric
//#else
    let x_sum$m$ = x_sum(sums_at(min(m0 + $m$u, last_row)), group_k / GROUP_UNITS);
//#endif
//#repeat r RB
//#if symmetric
    total$m$_$r$ += scale$r$.x * f32(s$m$_$r$);
//#else
    total$m$_$r$ += scale$r$.x * f32(s$m$_$r$ + (128 - i32(scale$r$.y)) * x_sum$m$);
//#endif
//#endrepeat
//#endrepeat
  }
  // In a loop of unknown length, so that compilers write what follows a sum once and not for every sum.
  var sums: array<f32, MT * RB>;
//#repeat m MT
//#repeat r RB
  sums[$m$u * RB + $r$u] = total$m$_$r$;
//#endrepeat
//#endrepeat
  let count = min(MT, last_row + 1u - m0) * RB;
  for (var i = 0u; i < count; i++) {
    let m = m0 + i / RB;
    finish_lane(m, (block + i % RB) * LANES + lane, sums[i] * x_scale(m));
  }
}
