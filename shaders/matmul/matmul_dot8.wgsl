// Many rows of x in 8 bits with plain shader code: dot products of four quants at a time, of a square TILE of the output
// per workgroup of 16 x 16 threads, both operands staged through workgroup memory 32 columns at a time, the next ones on
// their way to registers meanwhile. A thread makes FOURS x FOURS squares of 4 x 4 outputs, as in matmul_tiled.wgsl.
// Sums of a group of weights are whole numbers; where a group ends they are scaled and added to sums in f32.
//#include matmul/matmul.wgsl
//#include matmul/panels.wgsl
//#include matmul/quantized_rows.wgsl

const TILE: u32 = 64u * FOURS;
const TILE_WORDS: u32 = 8u;
const PITCH: u32 = TILE + 4u;
var<workgroup> x_tile: array<u32, TILE_WORDS * PITCH>;  // [k / 4][m]
var<workgroup> w_tile: array<u32, TILE_WORDS * PITCH>;  // [k / 4][n]
// Of the group under way.
var<workgroup> w_scales: array<vec2<f32>, TILE>;
//#if symmetric
//#else
var<workgroup> x_sums: array<i32, TILE>;
//#endif

fn four_of_x(at: u32) -> vec4<u32> {
  return vec4<u32>(x_tile[at], x_tile[at + 1u], x_tile[at + 2u], x_tile[at + 3u]);
}
fn four_of_w(at: u32) -> vec4<u32> {
  return vec4<u32>(w_tile[at], w_tile[at + 1u], w_tile[at + 2u], w_tile[at + 3u]);
}
fn dots(a: u32, b: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}
fn scales_of(at: u32) -> vec4<f32> {
  return vec4<f32>(w_scales[at].x, w_scales[at + 1u].x, w_scales[at + 2u].x, w_scales[at + 3u].x);
}
fn offsets_of(at: u32) -> vec4<i32> {
  return 128 - vec4<i32>(
    vec4<f32>(w_scales[at].y, w_scales[at + 1u].y, w_scales[at + 2u].y, w_scales[at + 3u].y));
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let end = row_end();
  let place = tile_of(group, groups);
  let m_base = row_begin() + place.x * TILE;
  let n_base = place.y * TILE;
  let tm = (thread / 16u) * 4u;
  let tn = (thread % 16u) * 4u;
//#repeat c FOURS
//#repeat r FOURS
//#repeat i SQUARE
  var sum_$r$_$i$_$c$ = vec4<f32>();
  var dot_$r$_$i$_$c$ = vec4<i32>();
//#endrepeat
//#endrepeat
//#endrepeat

  // Two threads read a row of x, 16 quants each; of a tile of 64 rows half of the threads read none.
  let reads = thread < 2u * TILE;
  let x_row = thread / 2u;
  let x_col = thread % 2u;
  let x_from = min(m_base + x_row, end - 1u) * params.x_stride4 + 1u + x_col;
  var x_next = vec4<u32>();
  if (reads) { x_next = x[x_from]; }
  // Four read a row of the weights, 8 each.
  let w_row = thread / 4u;
  let w_col = thread % 4u;
//#repeat c FOURS
  var w_next_$c$ = load_unit(weight_index(min(n_base + w_row + $c$u * 64u, params.n - 1u), w_col));
//#endrepeat
  let scaled = min(n_base + thread, params.n - 1u);
  let summed = min(m_base + thread, end - 1u);

  for (var turn = 0u; turn < MOST_TURNS; turn++) {
    let k8 = 4u * turn;
    if (k8 >= params.k8) { break; }
    if (reads) {
      for (var i = 0u; i < 4u; i++) { x_tile[(x_col * 4u + i) * PITCH + x_row] = x_next[i]; }
    }
//#repeat c FOURS
    w_tile[(2u * w_col) * PITCH + w_row + $c$u * 64u] = w_next_$c$.x ^ SIGNED;
    w_tile[(2u * w_col + 1u) * PITCH + w_row + $c$u * 64u] = w_next_$c$.y ^ SIGNED;
//#endrepeat
    // Behind the barrier that ends the group before.
    if (k8 % GROUP_UNITS == 0u && thread < TILE) {
      w_scales[thread] = load_scale(scale_index(scaled), k8 / GROUP_UNITS);
//#if symmetric
//#else
      x_sums[thread] = x_sum(sums_at(summed), k8 / GROUP_UNITS);
//#endif
    }
    workgroupBarrier();
    let next = k8 + 4u;
    if (next < params.k8) {
      if (reads) { x_next = x[x_from + next / 2u]; }
//#repeat c FOURS
      w_next_$c$ = load_unit(weight_index(min(n_base + w_row + $c$u * 64u, params.n - 1u), next + w_col));
//#endrepeat
    }
    for (var k = 0u; k < TILE_WORDS; k++) {
//#repeat r FOURS
      let x_$r$ = four_of_x(k * PITCH + tm + $r$u * 64u);
//#endrepeat
//#repeat c FOURS
      let w_$c$ = four_of_w(k * PITCH + tn + $c$u * 64u);
//#repeat r FOURS
//#repeat i SQUARE
      dot_$r$_$i$_$c$ += dots(x_$r$[$i$], w_$c$);
//#endrepeat
//#endrepeat
//#endrepeat
    }
    if (next % GROUP_UNITS == 0u || next >= params.k8) {
//#repeat c FOURS
      {
        let scales = scales_of(tn + $c$u * 64u);
//#if symmetric
//#else
        let offsets = offsets_of(tn + $c$u * 64u);
//#endif
//#repeat r FOURS
//#repeat i SQUARE
//#if symmetric
//#else
        dot_$r$_$i$_$c$ += x_sums[tm + $r$u * 64u + $i$u] * offsets;
//#endif
        sum_$r$_$i$_$c$ += vec4<f32>(dot_$r$_$i$_$c$) * scales;
        dot_$r$_$i$_$c$ = vec4<i32>();
//#endrepeat
//#endrepeat
      }
//#endrepeat
    }
    workgroupBarrier();
  }

//#repeat r FOURS
//#repeat i SQUARE
  {
    let m = m_base + tm + $r$u * 64u + $i$u;
    if (m < end) {
      let scale = x_scale(m);
//#repeat c FOURS
      finish_four(m, n_base + tn + $c$u * 64u, sum_$r$_$i$_$c$ * scale);
//#endrepeat
    }
  }
//#endrepeat
//#endrepeat
}
