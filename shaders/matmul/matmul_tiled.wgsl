// Many rows of x on a GPU: a square TILE of the output per workgroup of 16 x 16 threads, both operands staged through
// workgroup memory 16 columns at a time, the next ones on their way to registers meanwhile. A thread makes FOURS x FOURS
// squares of 4 x 4 outputs, 64 rows or columns apart, so that neighbours read neighbouring vectors. Rows of the staging
// tiles are padded by 4 so that the transposing writes do not all fall into one memory bank.
//#include matmul/matmul.wgsl
//#include matmul/panels.wgsl
//#include matmul/prompt_in.wgsl

const TILE: u32 = 64u * FOURS;
const TILE_K: u32 = 16u;
const PITCH: u32 = TILE + 4u;
var<workgroup> x_tile: array<f32, TILE_K * PITCH>;  // [k][m]
var<workgroup> w_tile: array<f32, TILE_K * PITCH>;  // [k][n]

fn four_of_x(at: u32) -> vec4<f32> {
  return vec4<f32>(x_tile[at], x_tile[at + 1u], x_tile[at + 2u], x_tile[at + 3u]);
}
fn four_of_w(at: u32) -> vec4<f32> {
  return vec4<f32>(w_tile[at], w_tile[at + 1u], w_tile[at + 2u], w_tile[at + 3u]);
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
  var sum_$r$_0_$c$ = vec4<f32>();
  var sum_$r$_1_$c$ = vec4<f32>();
  var sum_$r$_2_$c$ = vec4<f32>();
  var sum_$r$_3_$c$ = vec4<f32>();
//#endrepeat
//#endrepeat

  let x_row = thread / 4u;
  let x_col = thread % 4u;
//#repeat r FOURS
  let x_from_$r$ = min(m_base + x_row + $r$u * 64u, end - 1u) * row_fours() + x_col;
  var x_next_$r$ = four_of_row(x_from_$r$);
//#endrepeat
  // Two threads read a row of the weights; of a tile of 64 rows half of the threads read none.
  let reads = thread < 2u * TILE;
  let w_row = thread / 2u;
  let w_col = thread % 2u;
  let w_from = min(n_base + w_row, params.n - 1u);
  var w_next = Eight();
  if (reads) { w_next = load_weights(w_from, w_col); }

  for (var turn = 0u; turn < MOST_TURNS; turn++) {
    let k8 = 2u * turn;
    if (k8 >= params.k8) { break; }
//#repeat r FOURS
    for (var i = 0u; i < 4u; i++) { x_tile[(x_col * 4u + i) * PITCH + x_row + $r$u * 64u] = x_next_$r$[i]; }
//#endrepeat
    if (reads) {
      for (var i = 0u; i < 4u; i++) {
        w_tile[(w_col * 8u + i) * PITCH + w_row] = w_next.lo[i];
        w_tile[(w_col * 8u + 4u + i) * PITCH + w_row] = w_next.hi[i];
      }
    }
    workgroupBarrier();
    if (k8 + 2u < params.k8) {
//#repeat r FOURS
      x_next_$r$ = four_of_row(x_from_$r$ + 2u * (k8 + 2u));
//#endrepeat
      if (reads) { w_next = load_weights(w_from, w_col + k8 + 2u); }
    }
    for (var k = 0u; k < TILE_K; k++) {
//#repeat r FOURS
      let x_$r$ = four_of_x(k * PITCH + tm + $r$u * 64u);
//#endrepeat
//#repeat c FOURS
      let w_$c$ = four_of_w(k * PITCH + tn + $c$u * 64u);
//#repeat r FOURS
      sum_$r$_0_$c$ += x_$r$.x * w_$c$;
      sum_$r$_1_$c$ += x_$r$.y * w_$c$;
      sum_$r$_2_$c$ += x_$r$.z * w_$c$;
      sum_$r$_3_$c$ += x_$r$.w * w_$c$;
//#endrepeat
//#endrepeat
    }
    workgroupBarrier();
  }

//#repeat r FOURS
  {
    let m = m_base + tm + $r$u * 64u;
//#repeat c FOURS
    let n_$c$ = n_base + tn + $c$u * 64u;
    if (m < end) { finish_four(m, n_$c$, sum_$r$_0_$c$); }
    if (m + 1u < end) { finish_four(m + 1u, n_$c$, sum_$r$_1_$c$); }
    if (m + 2u < end) { finish_four(m + 2u, n_$c$, sum_$r$_2_$c$); }
    if (m + 3u < end) { finish_four(m + 3u, n_$c$, sum_$r$_3_$c$); }
//#endrepeat
  }
//#endrepeat
}
