// 1 to TILE_M rows of decoding sequences on subgroup matrices: every weight is read once for all of them. A workgroup
// makes TILE_N outputs of TILE_M rows. Its subgroups share k, 16 columns of each 128 a subgroup, so that all of them
// stream weights, and add their sums in one order at the end. Weights of DEPTH stages are on their way at once, since a
// multiprocessor holds few such workgroups. x, which is f32, is multiplied as a high and a low half of f16 each, so that
// it loses nothing that counts; where weights are quants, which are rounded to f16, the high half is enough.
//#include matmul/matmul.wgsl
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
//#if norm
@group(0) @binding(5) var<storage, read> gamma: array<vec4<f32>>;  // [x_stride4]
//#if bias
fn constant_pair(i: u32) -> vec2<f32> { return select(gamma[i / 2u].zw, gamma[i / 2u].xy, i % 2u == 0u); }
//#endif
//#endif
//#include common/matrix_staged.wgsl
//#include common/halves.wgsl
//#include matmul/finish_four.wgsl
//#if pinned
enable subgroup_size_control;
//#endif

const STAGE_UNITS: u32 = 16u * PARTS;       // units of eight columns of a stage
const PITCH: u32 = STAGE_UNITS + 1u;
const ROW_STEP: u32 = THREADS / 16u;        // 16 threads read along a row
const RIGHT: u32 = TILE_M * HALVES * PITCH; // where weights begin in workgroup memory
const QUADS: u32 = TILE_N / 4u;             // four outputs at a time
const STRIP_PITCH: u32 = QUADS + 1u;
const STRIP: u32 = MATRIX_M * STRIP_PITCH;  // sums of a subgroup, one matrix high
const STRIP_ITEMS: u32 = MATRIX_M * QUADS;
//#if counted
const ROUNDS: u32 = (K8 + DEPTH * STAGE_UNITS - 1u) / (DEPTH * STAGE_UNITS);
//#else
const ROUNDS: u32 = MOST_TURNS;
//#endif
// Low halves are as large as high ones with this, so that none falls where f16 has few bits, or a driver none.
const LOW: f32 = 2048.0;
//#if norm
var<workgroup> squares: array<f32, TILE_M * 16u>;
//#endif

// Within the range of f16, beyond which a conversion may give anything.
fn held(v: vec4<f32>) -> vec4<f32> { return clamp(v, vec4<f32>(-MOST_F16), vec4<f32>(MOST_F16)); }
// The bits of a number that f16 holds. By a mask: a compiler may take a conversion there and back for nothing.
fn top(v: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) & vec4<u32>(0xffffe000u)); }

//#if quantized
fn staged_weights(p: Unit, scale: vec2<f32>) -> vec4<u32> {
  let w = quants_in_place(p);
  let zero = vec4<f32>(-scale.x * scale.y);
  return halves(fma(w.lo, PLACES_LO * scale.x, zero), fma(w.hi, PLACES_HI * scale.x, zero));
}
//#endif

@compute @workgroup_size(THREADS)
//#if pinned
@subgroup_size(LANES)
//#endif
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
//#if subgroup_id
  @builtin(subgroup_id) subgroup: u32,
//#endif
  @builtin(local_invocation_index) thread: u32,
) {
//#if subgroup_id
//#else
  let subgroup = thread / LANES;
//#endif
//#if counted
  let units = K8;
//#else
  let units = params.k8;
//#endif
  let end = row_end();
  let m_base = row_begin() + group.y * TILE_M;
  let n_base = group.x * TILE_N;
  let column = thread % 16u;
  let row = thread / 16u;

  // What this thread reads of a stage: rows of x and of weights, PARTS units of each.
//#repeat i X_ROWS
  let m_$i$ = m_base + row + $i$u * ROW_STEP;
  let x_from_$i$ = x_row(min(m_$i$, end - 1u)) * params.x_stride4;
//#if norm
  var squares_$i$ = 0.0;
//#endif
//#repeat p PARTS
  var x_lo_$i$_$p$ = vec4<f32>();
  var x_hi_$i$_$p$ = vec4<f32>();
  if (m_$i$ < end && $p$u * 16u + column < units) {
    x_lo_$i$_$p$ = x[x_from_$i$ + 2u * ($p$u * 16u + column)];
    x_hi_$i$_$p$ = x[x_from_$i$ + 2u * ($p$u * 16u + column) + 1u];
  }
//#endrepeat
//#endrepeat
//#repeat j W_ROWS
  let n_$j$ = min(n_base + row + $j$u * ROW_STEP, params.n - 1u);
//#if quantized
  let first_$j$ = scale_index(n_$j$);
//#endif
//#endrepeat
//#repeat d DEPTH
//#repeat p PARTS
//#repeat j W_ROWS
  var w_$d$_$j$_$p$ = load_unit(weight_index(n_$j$, min($d$u * STAGE_UNITS + $p$u * 16u + column, units - 1u)));
//#if quantized
  var scale_$d$_$j$_$p$ =
    load_scale(first_$j$, min($d$u * STAGE_UNITS + $p$u * 16u + column, units - 1u) / GROUP_UNITS);
//#endif
//#endrepeat
//#endrepeat
//#endrepeat

//#repeat h HALVES
//#repeat i M_TILES
//#repeat j N_TILES
  var sum_$h$_$i$_$j$: Sum;
//#endrepeat
//#endrepeat
//#endrepeat

  for (var round = 0u; round < ROUNDS; round++) {
    if (round * DEPTH * STAGE_UNITS >= units) { break; }
//#repeat d DEPTH
    if ((round * DEPTH + $d$u) * STAGE_UNITS < units) {
      let begin = (round * DEPTH + $d$u) * STAGE_UNITS;
//#repeat p PARTS
//#if norm
      let gamma_at_$p$ = 2u * min(begin + $p$u * 16u + column, units - 1u);
      let gamma_lo_$p$ = gamma[gamma_at_$p$];
      let gamma_hi_$p$ = gamma[gamma_at_$p$ + 1u];
//#endif
//#repeat i X_ROWS
      {
//#if norm
        let lo = x_lo_$i$_$p$ * gamma_lo_$p$;
        let hi = x_hi_$i$_$p$ * gamma_hi_$p$;
        squares_$i$ += dot(x_lo_$i$_$p$, x_lo_$i$_$p$) + dot(x_hi_$i$_$p$, x_hi_$i$_$p$);
//#else
        let lo = x_lo_$i$_$p$;
        let hi = x_hi_$i$_$p$;
//#endif
        let at = (row + $i$u * ROW_STEP) * PITCH + $p$u * 16u + column;
//#if split
        let top_lo = top(held(lo));
        let top_hi = top(held(hi));
        staged[at] = halves(top_lo, top_hi);
        staged[TILE_M * PITCH + at] = halves(held((lo - top_lo) * LOW), held((hi - top_hi) * LOW));
//#else
        staged[at] = halves(held(lo), held(hi));
//#endif
      }
//#endrepeat
//#repeat j W_ROWS
//#if quantized
      staged[RIGHT + (row + $j$u * ROW_STEP) * PITCH + $p$u * 16u + column] =
        staged_weights(w_$d$_$j$_$p$, scale_$d$_$j$_$p$);
//#else
      staged[RIGHT + (row + $j$u * ROW_STEP) * PITCH + $p$u * 16u + column] = w_$d$_$j$_$p$;
//#endif
//#endrepeat
//#endrepeat
      workgroupBarrier();
      // Weights of DEPTH stages on, x of the next.
      if (begin + DEPTH * STAGE_UNITS < units) {
//#repeat p PARTS
        let ahead_$p$ = min(begin + DEPTH * STAGE_UNITS + $p$u * 16u + column, units - 1u);
//#repeat j W_ROWS
        w_$d$_$j$_$p$ = load_unit(weight_index(n_$j$, ahead_$p$));
//#if quantized
        scale_$d$_$j$_$p$ = load_scale(first_$j$, ahead_$p$ / GROUP_UNITS);
//#endif
//#endrepeat
//#endrepeat
      }
//#repeat p PARTS
      let next_$p$ = begin + STAGE_UNITS + $p$u * 16u + column;
//#repeat i X_ROWS
      x_lo_$i$_$p$ = vec4<f32>();
      x_hi_$i$_$p$ = vec4<f32>();
      if (m_$i$ < end && next_$p$ < units) {
        x_lo_$i$_$p$ = x[x_from_$i$ + 2u * next_$p$];
        x_hi_$i$_$p$ = x[x_from_$i$ + 2u * next_$p$ + 1u];
      }
//#endrepeat
//#endrepeat
//#repeat p PARTS
//#repeat s K_STEPS
      {
        let k = $p$u * 16u + 2u * subgroup + $s$u * (MATRIX_K / 8u);
//#repeat h HALVES
//#repeat i M_TILES
        let left_$h$_$i$ = subgroupMatrixLoad<Left, row_major>(
          &staged, ($h$u * TILE_M + $i$u * MATRIX_M) * PITCH + k, PITCH);
//#endrepeat
//#endrepeat
//#repeat j N_TILES
        let right_$j$ = subgroupMatrixLoad<Right, col_major>(
          &staged, RIGHT + $j$u * MATRIX_N * PITCH + k, PITCH);
//#repeat h HALVES
//#repeat i M_TILES
        sum_$h$_$i$_$j$ = subgroupMatrixMultiplyAccumulate(left_$h$_$i$, right_$j$, sum_$h$_$i$_$j$);
//#endrepeat
//#endrepeat
//#endrepeat
      }
//#endrepeat
//#endrepeat
      workgroupBarrier();
    }
//#endrepeat
  }

//#if norm
//#repeat i X_ROWS
  squares[(row + $i$u * ROW_STEP) * 16u + column] = squares_$i$;
//#endrepeat
//#endif
//#repeat i M_TILES
//#repeat s ITEMS
  var made_$i$_$s$ = vec4<f32>();
//#endrepeat
//#repeat h HALVES
//#repeat j N_TILES
  subgroupMatrixStore<row_major>(
    &staged, subgroup * STRIP + $j$u * (MATRIX_N / 4u), sum_$h$_$i$_$j$, STRIP_PITCH);
//#endrepeat
  workgroupBarrier();
//#repeat s ITEMS
  if ($s$u * THREADS + thread < STRIP_ITEMS) {
    let item = $s$u * THREADS + thread;
    let place = (item / QUADS) * STRIP_PITCH + item % QUADS;
    var sum = bitcast<vec4<f32>>(staged[place]);
    for (var each = 1u; each < SUBGROUPS; each++) { sum += bitcast<vec4<f32>>(staged[each * STRIP + place]); }
    made_$i$_$s$ += sum * select(1.0, 1.0 / LOW, $h$u == 1u);
  }
//#endrepeat
  workgroupBarrier();
//#endrepeat
//#repeat s ITEMS
  if ($s$u * THREADS + thread < STRIP_ITEMS) {
    let item = $s$u * THREADS + thread;
    let m = $i$u * MATRIX_M + item / QUADS;
    if (m_base + m < end) {
      var scale = 1.0;
//#if norm
      var whole = 0.0;
      for (var c = 0u; c < 16u; c++) { whole += squares[m * 16u + c]; }
      scale = norm_scale(whole);
//#endif
      finish_four(m_base + m, n_base + 4u * (item % QUADS), scale * made_$i$_$s$);
    }
  }
//#endrepeat
//#endrepeat
}
