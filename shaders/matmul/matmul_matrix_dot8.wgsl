// Many rows of x in 8 bits on subgroup matrices of i8: a TILE_M x TILE_N tile of the output per workgroup, SUB_M x SUB_N
// of it per subgroup, as ROWS x COLS matrices of sums in i32. Both operands go through workgroup memory, 32 columns at a
// time, the next ones on their way to registers meanwhile. What a lane holds of a matrix is not said, so where a group of
// weights ends the sums pass through workgroup memory too, to be scaled and added to sums in f32.
//#include matmul/matmul.wgsl
//#include common/matrix_staged.wgsl
//#include matmul/quantized_rows.wgsl

const TILE_K8: u32 = 4u;  // units of 8 columns in 32
//#if short_rows
const HALVES: u32 = 2u;   // elements in 16 bytes
//#else
const HALVES: u32 = 1u;
//#endif
const ROW: u32 = 2u * HALVES;        // elements in 32 columns
const PITCH: u32 = ROW + HALVES;
const STEPS: u32 = 32u / MATRIX_K;
const STEP: u32 = ROW / STEPS;
// One row of matrices of a subgroup, four sums at a time.
const STRIP_WIDTH: u32 = SUB_N / 4u;
const STRIP_PITCH: u32 = (STRIP_WIDTH + 1u) * HALVES;
const STRIP: u32 = MATRIX_M * STRIP_PITCH;

// 16 bytes of workgroup memory.
fn put_bytes(at: u32, v: vec4<u32>) {
//#if short_rows
  staged[at] = v.xy;
  staged[at + 1u] = v.zw;
//#else
  staged[at] = v;
//#endif
}
fn bytes_at(at: u32) -> vec4<u32> {
//#if short_rows
  return vec4<u32>(staged[at], staged[at + 1u]);
//#else
  return staged[at];
//#endif
}

// Of the group under way.
var<workgroup> w_scales: array<vec2<f32>, TILE_N>;
//#if symmetric
//#else
var<workgroup> x_sums: array<i32, TILE_M>;
//#endif

// Sixteen columns of a row, k a multiple of two.
fn sixteen_weights(row: u32, k: u32) -> vec4<u32> {
  let at = weight_index(row, k);
  return vec4<u32>(load_unit(at), load_unit(at + 1u));
}

//#include matmul/matrix_main.wgsl

  // Where this thread reads its part of a step's operands and where it puts it.
//#repeat s X_SLOTS
  let x_slot_$s$ = thread + $s$u * THREADS;
  let x_from_$s$ = min(m_base + x_slot_$s$ / 2u, end - 1u) * params.x_stride4 + 1u + x_slot_$s$ % 2u;
  let x_to_$s$ = (x_slot_$s$ / 2u) * PITCH + HALVES * (x_slot_$s$ % 2u);
  var x_$s$ = x[x_from_$s$];
//#endrepeat
//#repeat s W_SLOTS
  let w_slot_$s$ = thread + $s$u * THREADS;
  let w_row_$s$ = min(n_base + w_slot_$s$ / 2u, params.n - 1u);
  let w_col_$s$ = 2u * (w_slot_$s$ % 2u);
  let w_to_$s$ = (TILE_M + w_slot_$s$ / 2u) * PITCH + HALVES * (w_slot_$s$ % 2u);
  var w_$s$ = sixteen_weights(w_row_$s$, w_col_$s$);
//#endrepeat

//#repeat i ROWS
  var kept_$i$: array<vec4<f32>, STRIP_SLOTS>;
//#repeat j COLS
  var sum_$i$_$j$: Sum;
//#endrepeat
//#endrepeat

  for (var turn = 0u; turn < MOST_TURNS; turn++) {
    let k8 = turn * TILE_K8;
    if (k8 >= params.k8) { break; }
//#repeat s X_SLOTS
    put_bytes(x_to_$s$, x_$s$);
//#endrepeat
//#repeat s W_SLOTS
    put_bytes(w_to_$s$, w_$s$ ^ vec4<u32>(SIGNED));
//#endrepeat
    if (k8 % GROUP_UNITS == 0u) {
      for (var load = 0u; load < (TILE_N + THREADS - 1u) / THREADS; load++) {
        let i = load * THREADS + thread;
        if (i >= TILE_N) { break; }
        w_scales[i] = load_scale(scale_index(min(n_base + i, params.n - 1u)), k8 / GROUP_UNITS);
      }
//#if symmetric
//#else
      for (var load = 0u; load < (TILE_M + THREADS - 1u) / THREADS; load++) {
        let i = load * THREADS + thread;
        if (i >= TILE_M) { break; }
        x_sums[i] = x_sum(sums_at(min(m_base + i, end - 1u)), k8 / GROUP_UNITS);
      }
//#endif
    }
    workgroupBarrier();
    let next = k8 + TILE_K8;
    if (next < params.k8) {
//#repeat s X_SLOTS
      x_$s$ = x[x_from_$s$ + next / 2u];
//#endrepeat
//#repeat s W_SLOTS
      w_$s$ = sixteen_weights(w_row_$s$, next + w_col_$s$);
//#endrepeat
    }
    let left_from = m_sub * PITCH;
    let right_from = (TILE_M + n_sub) * PITCH;
    for (var k = 0u; k < STEPS; k++) {
//#repeat j COLS
      let right_$j$ = subgroupMatrixLoad<Right, col_major>(
        &staged, right_from + $j$u * MATRIX_N * PITCH + k * STEP, PITCH);
//#endrepeat
//#repeat i ROWS
      let left_$i$ = subgroupMatrixLoad<Left, row_major>(
        &staged, left_from + $i$u * MATRIX_M * PITCH + k * STEP, PITCH);
//#repeat j COLS
      sum_$i$_$j$ = subgroupMatrixMultiplyAccumulate(left_$i$, right_$j$, sum_$i$_$j$);
//#endrepeat
//#endrepeat
    }
    workgroupBarrier();
    if (next % GROUP_UNITS == 0u || next >= params.k8) {
//#repeat i ROWS
//#repeat j COLS
      subgroupMatrixStore<row_major>(
        &staged, subgroup * STRIP + $j$u * (MATRIX_N / 4u) * HALVES, sum_$i$_$j$, STRIP_PITCH);
      sum_$i$_$j$ = Sum();
//#endrepeat
      workgroupBarrier();
      for (var s = 0u; s < STRIP_SLOTS; s++) {
        let at = s * LANES + lane;
        let from_strip = subgroup * STRIP + (at / STRIP_WIDTH) * STRIP_PITCH + (at % STRIP_WIDTH) * HALVES;
        var dots = bitcast<vec4<i32>>(bytes_at(from_strip));
        let n = n_sub + 4u * (at % STRIP_WIDTH);
        let a = w_scales[n];
        let b = w_scales[n + 1u];
        let c = w_scales[n + 2u];
        let d = w_scales[n + 3u];
//#if symmetric
//#else
        dots += x_sums[m_sub + $i$u * MATRIX_M + at / STRIP_WIDTH]
          * (128 - vec4<i32>(vec4<f32>(a.y, b.y, c.y, d.y)));
//#endif
        kept_$i$[s] += vec4<f32>(dots) * vec4<f32>(a.x, b.x, c.x, d.x);
      }
      workgroupBarrier();
//#endrepeat
    }
  }

//#repeat i ROWS
  for (var s = 0u; s < STRIP_SLOTS; s++) {
    let at = s * LANES + lane;
    let m = m_base + m_sub + $i$u * MATRIX_M + at / STRIP_WIDTH;
    let n = n_base + n_sub + 4u * (at % STRIP_WIDTH);
    if (m < end) { finish_four(m, n, kept_$i$[s] * x_scale(m)); }
  }
//#endrepeat
}
