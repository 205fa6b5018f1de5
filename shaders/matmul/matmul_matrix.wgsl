// Many rows of x on subgroup matrices: a TILE_M x TILE_N tile of the output per workgroup, SUB_M x SUB_N of it per
// subgroup, as ROWS x COLS matrices of sums that stay in registers. Both operands go through workgroup memory in f16,
// 8 * TILE_K8 columns at a time; while the matrices of one step are multiplied, the numbers of the next are on their way
// to registers. All places in workgroup memory follow from constants and a thread's number, so that Dawn sees that they
// are within and checks none.
//#include matmul/matmul.wgsl
//#if half_rows
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;  // [m][x_stride4], f16
alias RowUnit = vec4<u32>;
fn row_unit(row: u32, k8: u32) -> RowUnit { return x[row * params.x_stride4 + k8]; }
fn staged_row(unit: RowUnit) -> vec4<u32> { return unit; }
//#else
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
alias RowUnit = Eight;
fn row_unit(row: u32, k8: u32) -> RowUnit {
  let at = row * params.x_stride4 + 2u * k8;
  return Eight(x[at], x[at + 1u]);
}
fn staged_row(unit: RowUnit) -> vec4<u32> { return halves(unit.lo, unit.hi); }
//#endif
//#if long
// More columns at a time than rows are padded to: what lies beyond a row counts as zero.
fn row_unit_within(row: u32, k8: u32) -> RowUnit {
  var unit = RowUnit();
  if (k8 < params.k8) { unit = row_unit(row, k8); }
  return unit;
}
//#endif
//#include common/matrix_staged.wgsl
//#include common/halves.wgsl

const STEP: u32 = MATRIX_K / 8u;
const PITCH: u32 = TILE_K8 + 1u;
const STAGE: u32 = (TILE_M + TILE_N) * PITCH;
//#if result_f16
const PER_ELEMENT: u32 = 8u;
//#else
const PER_ELEMENT: u32 = 4u;
//#endif
// One row of matrices of a subgroup, on its way out through workgroup memory.
const STRIP_WIDTH: u32 = SUB_N / PER_ELEMENT;
const STRIP_PITCH: u32 = STRIP_WIDTH + 1u;
const STRIP: u32 = MATRIX_M * STRIP_PITCH;

//#if quantized
fn staged_weights(p: Unit, scale: vec2<f32>) -> vec4<u32> {
  let w = dequantize(p, scale);
  return halves(w.lo, w.hi);
}
//#endif

//#include matmul/matrix_main.wgsl

  // Where this thread reads its part of a step's operands and where it puts it.
//#repeat s X_SLOTS
  let x_slot_$s$ = thread + $s$u * THREADS;
  let x_row_$s$ = min(m_base + x_slot_$s$ / TILE_K8, end - 1u);
  let x_to_$s$ = (x_slot_$s$ / TILE_K8) * PITCH + x_slot_$s$ % TILE_K8;
//#if long
  var x_$s$ = row_unit_within(x_row_$s$, x_slot_$s$ % TILE_K8);
//#else
  var x_$s$ = row_unit(x_row_$s$, x_slot_$s$ % TILE_K8);
//#endif
//#endrepeat
//#repeat s W_SLOTS
  let w_slot_$s$ = thread + $s$u * THREADS;
  let w_row_$s$ = min(n_base + w_slot_$s$ / TILE_K8, params.n - 1u);
//#if long
  let w_unit_$s$ = min(w_slot_$s$ % TILE_K8, params.k8 - 1u);
//#else
  let w_unit_$s$ = w_slot_$s$ % TILE_K8;
//#endif
  let w_from_$s$ = weight_index(w_row_$s$, w_unit_$s$);
  let w_to_$s$ = (TILE_M + w_slot_$s$ / TILE_K8) * PITCH + w_slot_$s$ % TILE_K8;
  var w_$s$ = load_unit(w_from_$s$);
//#if quantized
  // Up to 32 columns at a time lie in one group, whatever its size.
  let first_$s$ = scale_index(w_row_$s$);
//#if long
  var scale_$s$ = load_scale(first_$s$, w_unit_$s$ / GROUP_UNITS);
//#else
  var scale_$s$ = load_scale(first_$s$, 0u);
//#endif
//#endif
//#endrepeat

//#repeat i ROWS
//#repeat j COLS
  var sum_$i$_$j$: Sum;
//#endrepeat
//#endrepeat
//#if result_f16
//#repeat i ROWS
  var kept_$i$: array<Eight, STRIP_SLOTS>;
//#endrepeat
  var steps = 0u;
//#else
  // A tile without edges takes what is added to it as its first sums and is stored as it is. Matrices want rows on
  // multiples of 16 bytes.
  let aligned = (params.n_begin | params.out_stride) % 4u == 0u;
  let whole = aligned && params.epilogue != SILU && m_base + TILE_M <= end && n_base + TILE_N <= params.n;
  let out_at = (m_base + m_sub) * params.out_stride + params.n_begin + n_base + n_sub;
  if (whole && params.epilogue == RESIDUAL) {
//#repeat i ROWS
//#repeat j COLS
    sum_$i$_$j$ = subgroupMatrixLoad<Sum, row_major>(
      &out, out_at + $i$u * MATRIX_M * params.out_stride + $j$u * MATRIX_N, params.out_stride);
//#endrepeat
//#endrepeat
  }
//#endif

  // A step for each stage of workgroup memory in a turn, so that a stage's place is a constant.
  for (var turn = 0u; turn < MOST_TURNS; turn++) {
//#repeat t STAGES
    let k8_$t$ = (turn * STAGES + $t$u) * TILE_K8;
    if (k8_$t$ >= params.k8) { break; }
//#repeat s X_SLOTS
    staged[$t$u * STAGE + x_to_$s$] = staged_row(x_$s$);
//#endrepeat
//#repeat s W_SLOTS
//#if quantized
    staged[$t$u * STAGE + w_to_$s$] = staged_weights(w_$s$, scale_$s$);
//#else
    staged[$t$u * STAGE + w_to_$s$] = w_$s$;
//#endif
//#endrepeat
    workgroupBarrier();
    let next_$t$ = k8_$t$ + TILE_K8;
    if (next_$t$ < params.k8) {
//#if long
//#repeat s X_SLOTS
      x_$s$ = row_unit_within(x_row_$s$, next_$t$ + x_slot_$s$ % TILE_K8);
//#endrepeat
//#repeat s W_SLOTS
      let w_next_$s$ = min(next_$t$ + w_slot_$s$ % TILE_K8, params.k8 - 1u);
      w_$s$ = load_unit(weight_index(w_row_$s$, w_next_$s$));
//#if quantized
      scale_$s$ = load_scale(first_$s$, w_next_$s$ / GROUP_UNITS);
//#endif
//#endrepeat
//#else
//#repeat s X_SLOTS
      x_$s$ = row_unit(x_row_$s$, next_$t$ + x_slot_$s$ % TILE_K8);
//#endrepeat
//#repeat s W_SLOTS
      w_$s$ = load_unit(w_from_$s$ + next_$t$ * SIDE_ROWS);
//#if quantized
      scale_$s$ = load_scale(first_$s$, next_$t$ / GROUP_UNITS);
//#endif
//#endrepeat
//#endif
    }
    for (var k = 0u; k < TILE_K8 / STEP; k++) {
//#repeat j COLS
      let right_$j$ = subgroupMatrixLoad<Right, col_major>(
        &staged, $t$u * STAGE + (TILE_M + n_sub + $j$u * MATRIX_N) * PITCH + k * STEP, PITCH);
//#endrepeat
//#repeat i ROWS
      let left_$i$ = subgroupMatrixLoad<Left, row_major>(
        &staged, $t$u * STAGE + (m_sub + $i$u * MATRIX_M) * PITCH + k * STEP, PITCH);
//#repeat j COLS
      sum_$i$_$j$ = subgroupMatrixMultiplyAccumulate(left_$i$, right_$j$, sum_$i$_$j$);
//#endrepeat
//#endrepeat
    }
//#if !double
    workgroupBarrier();
//#endif
//#if result_f16
    // f16 sums lose a bit with every doubling of their terms: they are moved to f32 before they lose many.
    steps++;
    if (steps == PROMOTE || next_$t$ >= params.k8) {
      steps = 0u;
//#if double
      workgroupBarrier();
//#endif
//#repeat i ROWS
//#repeat j COLS
      subgroupMatrixStore<row_major>(
        &staged, subgroup * STRIP + $j$u * (MATRIX_N / PER_ELEMENT), sum_$i$_$j$, STRIP_PITCH);
      sum_$i$_$j$ = Sum();
//#endrepeat
      workgroupBarrier();
      for (var s = 0u; s < STRIP_SLOTS; s++) {
        let at = s * LANES + lane;
        let part = unpack_f16(staged[subgroup * STRIP + (at / STRIP_WIDTH) * STRIP_PITCH + at % STRIP_WIDTH]);
        kept_$i$[s].lo += part.lo;
        kept_$i$[s].hi += part.hi;
      }
      workgroupBarrier();
//#endrepeat
    }
//#endif
//#endrepeat
  }

//#if result_f16
//#repeat i ROWS
  for (var s = 0u; s < STRIP_SLOTS; s++) {
    let at = s * LANES + lane;
    let m = m_base + m_sub + $i$u * MATRIX_M + at / STRIP_WIDTH;
    let n = n_base + n_sub + (at % STRIP_WIDTH) * PER_ELEMENT;
    if (m < end) {
      finish_four(m, n, kept_$i$[s].lo);
      finish_four(m, n + 4u, kept_$i$[s].hi);
    }
  }
//#endrepeat
//#else
  if (whole) {
//#repeat i ROWS
//#repeat j COLS
    subgroupMatrixStore<row_major>(
      &out, out_at + $i$u * MATRIX_M * params.out_stride + $j$u * MATRIX_N, sum_$i$_$j$, params.out_stride);
//#endrepeat
//#endrepeat
    return;
  }
//#if double
  workgroupBarrier();
//#endif
//#repeat i ROWS
//#repeat j COLS
  subgroupMatrixStore<row_major>(
    &staged, subgroup * STRIP + $j$u * (MATRIX_N / PER_ELEMENT), sum_$i$_$j$, STRIP_PITCH);
//#endrepeat
  workgroupBarrier();
  for (var s = 0u; s < STRIP_SLOTS; s++) {
    let at = s * LANES + lane;
    let m = m_base + m_sub + $i$u * MATRIX_M + at / STRIP_WIDTH;
    let n = n_base + n_sub + (at % STRIP_WIDTH) * PER_ELEMENT;
    let v = staged[subgroup * STRIP + (at / STRIP_WIDTH) * STRIP_PITCH + at % STRIP_WIDTH];
    if (m < end) { finish_four(m, n, bitcast<vec4<f32>>(v)); }
  }
  workgroupBarrier();
//#endrepeat
//#endif
}
