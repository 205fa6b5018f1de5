// Few rows of x (decode): every weight is read once. A subgroup (or, without subgroups, a workgroup) makes R outputs
// of MT rows of x; its lanes stride over k, a unit of weights each. A lane names the weights of STEPS strides
// before it uses any, so that as many bytes are on their way. Each sum takes its products in one order, whatever R, MT
// and STEPS are.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include matmul/matmul.wgsl
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
//#if norm
@group(0) @binding(5) var<storage, read> gamma: array<vec4<f32>>;  // [x_stride4]
//#if bias
fn constant_pair(i: u32) -> vec2<f32> { return select(gamma[i / 2u].zw, gamma[i / 2u].xy, i % 2u == 0u); }
//#endif
const SUMS: u32 = MT * R + MT;  // products, then squares by row
//#else
const SUMS: u32 = MT * R;
//#endif
const PAIRS: u32 = MT * R / 2u;

// Where width and lanes are constants (`counted`), so is how often the loop turns, WHOLE_TURNS, and compilers unroll it. A
// turn that is not whole is a part of its own; from MASKED_PART on what lies beyond a row counts as zero.

//#if paired
// An output a subgroup: two of a workgroup make a pair.
var<workgroup> handed: array<f32, WG>;
//#endif
//#if subgroups
//#else
var<workgroup> partial: array<f32, SUMS * WG>;
// Adds up over the workgroup, all sums in one tree: barriers are dear, and so is compiling them on CPU drivers.
fn sum_all(thread: u32) {
  workgroupBarrier();
  for (var half = 0u; half < firstTrailingBit(WG); half++) {
    let span = WG >> (half + 1u);
    if (thread < span) {
      for (var i = 0u; i < SUMS; i++) { partial[i * WG + thread] += partial[i * WG + thread + span]; }
    }
    workgroupBarrier();
  }
}
//#endif

// Adds eight products one after the other: how they are rounded is left to no compiler.
fn add_eight(sum: f32, w: Eight, lo: vec4<f32>, hi: vec4<f32>) -> f32 {
  let first = fma(w.lo.w, lo.w, fma(w.lo.z, lo.z, fma(w.lo.y, lo.y, fma(w.lo.x, lo.x, sum))));
  return fma(w.hi.w, hi.w, fma(w.hi.z, hi.z, fma(w.hi.y, hi.y, fma(w.hi.x, hi.x, first))));
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
//#if subgroups
  @builtin(subgroup_size) subgroup_lanes: u32,
  @builtin(subgroup_invocation_id) lane: u32,
//#if subgroup_id
  @builtin(subgroup_id) team: u32,
//#endif
//#endif
) {
//#if subgroups
//#if counted
  let lanes = LANES;
//#else
  let lanes = subgroup_lanes;
//#endif
//#if subgroup_id
//#else
  let team = thread / lanes;
//#endif
  let teams = WG / lanes;
//#else
  let lanes = WG;
  let lane = thread;
  let team = 0u;
  let teams = 1u;
//#endif
//#if counted
  let units = K8;
//#else
  let units = params.k8;
//#endif
  let rows = row_end();
  let m0 = row_begin() + group.y * MT;
  let stride = grid.x * teams * R;
//#repeat m MT
  let x$m$ = x_row(min(m0 + $m$u, rows - 1u)) * params.x_stride4;
//#endrepeat
  // The trip count is the same for a whole workgroup, so that barriers and subgroup operations stay uniform.
  for (var round = 0u; round < MOST_TURNS; round++) {
    let base = round * stride;
    if (base >= params.n) { break; }
    let n0 = base + (group.x * teams + team) * R;
//#repeat m MT
    var squares$m$ = 0.0;
//#repeat r R
    var s$m$_$r$ = 0.0;
//#endrepeat
//#endrepeat
    if (n0 < params.n) {
//#repeat r R
      let row$r$ = min(n0 + $r$u, params.n - 1u);
//#if quantized
      let first$r$ = scale_index(row$r$);
//#endif
//#endrepeat
//#repeat p PARTS
//#if counted
      for (var turn = 0u; turn < select(WHOLE_TURNS, 1u, $p$u == 1u); turn++) {
        let begin = ($p$u * WHOLE_TURNS + turn) * (LANES * STEPS) + lane;
//#else
      for (var turn = 0u; turn < MOST_TURNS; turn++) {
        let begin = turn * lanes * STEPS + lane;
        if (begin >= units) { break; }
//#endif
//#repeat s STEPS
        let inside$s$ = $p$u < MASKED_PART || begin + $s$u * lanes < units;
        let k$s$ = select(units - 1u, begin + $s$u * lanes, inside$s$);
//#repeat r R
        let w$s$_$r$ = load_unit(weight_index(row$r$, k$s$));
//#if quantized
        let scale$s$_$r$ = load_scale(first$r$, k$s$ / GROUP_UNITS);
//#endif
//#endrepeat
//#endrepeat
//#repeat s STEPS
        {
//#if norm
          let gamma_lo = gamma[2u * k$s$];
          let gamma_hi = gamma[2u * k$s$ + 1u];
//#endif
//#repeat m MT
          let raw_lo$m$ = select(vec4<f32>(), x[x$m$ + 2u * k$s$], inside$s$);
          let raw_hi$m$ = select(vec4<f32>(), x[x$m$ + 2u * k$s$ + 1u], inside$s$);
//#if norm
          squares$m$ = add_eight(squares$m$, Eight(raw_lo$m$, raw_hi$m$), raw_lo$m$, raw_hi$m$);
          let given_lo$m$ = raw_lo$m$ * gamma_lo;
          let given_hi$m$ = raw_hi$m$ * gamma_hi;
//#else
          let given_lo$m$ = raw_lo$m$;
          let given_hi$m$ = raw_hi$m$;
//#endif
//#if quantized
          let whole$m$ = dot(given_lo$m$ + given_hi$m$, vec4<f32>(1.0));
          let lo$m$ = given_lo$m$ * PLACES_LO;
          let hi$m$ = given_hi$m$ * PLACES_HI;
//#else
          let lo$m$ = given_lo$m$;
          let hi$m$ = given_hi$m$;
//#endif
//#endrepeat
//#repeat r R
          {
//#if quantized
            // The unit's products are added before they are scaled, and its zero is taken off by the sum of x.
            let w = quants_in_place(w$s$_$r$);
            let scale = scale$s$_$r$;
//#repeat m MT
            let zero$m$ = -scale.y * whole$m$;
            s$m$_$r$ = fma(scale.x, add_eight(zero$m$, w, lo$m$, hi$m$), s$m$_$r$);
//#endrepeat
//#else
            let w = unpack_unit(w$s$_$r$);
//#repeat m MT
            s$m$_$r$ = add_eight(s$m$_$r$, w, lo$m$, hi$m$);
//#endrepeat
//#endif
          }
//#endrepeat
        }
//#endrepeat
      }
//#endrepeat
    }
//#if subgroups
//#if paired
//#repeat m MT
    let sum$m$ = subgroupAdd(s$m$_0);
//#if norm
    let done$m$ = sum$m$ * norm_scale(subgroupAdd(squares$m$));
//#else
    let done$m$ = sum$m$;
//#endif
    if (lane == 0u) { handed[team * MT + $m$u] = done$m$; }
//#endrepeat
    workgroupBarrier();
    let m = thread % MT;
    let pair = 2u * (thread / MT);
    let n = base + group.x * teams + pair;
    if (pair < teams && m0 + m < rows && n < params.n) {
      finish_pair(m0 + m, n, handed[pair * MT + m], handed[(pair + 1u) * MT + m]);
    }
    workgroupBarrier();  // before the next round writes its own
//#else
    // A lane finishes each pair.
    var first = 0.0;
    var second = 0.0;
//#repeat m MT
//#if norm
    let scale$m$ = norm_scale(subgroupAdd(squares$m$));
//#endif
//#repeat r R
    {
//#if norm
      let sum = scale$m$ * subgroupAdd(s$m$_$r$);
//#else
      let sum = subgroupAdd(s$m$_$r$);
//#endif
      if (lane == ($m$u * R + $r$u) / 2u) { if ($r$u % 2u == 0u) { first = sum; } else { second = sum; } }
    }
//#endrepeat
//#endrepeat
    let m = lane / (R / 2u);
    let n = n0 + 2u * (lane % (R / 2u));
    if (lane < PAIRS && m0 + m < rows && n < params.n) { finish_pair(m0 + m, n, first, second); }
//#endif
//#else
//#repeat m MT
//#if norm
    partial[(MT * R + $m$u) * WG + thread] = squares$m$;
//#endif
//#repeat r R
    partial[($m$u * R + $r$u) * WG + thread] = s$m$_$r$;
//#endrepeat
//#endrepeat
    sum_all(thread);
    let m = thread / (R / 2u);
    let n = n0 + 2u * (thread % (R / 2u));
    if (thread < PAIRS && m0 + m < rows && n < params.n) {
      let at = 2u * thread;
      var scale = 1.0;
//#if norm
      scale = norm_scale(partial[(MT * R + m) * WG]);
//#endif
      finish_pair(m0 + m, n, scale * partial[at * WG], scale * partial[(at + 1u) * WG]);
    }
    workgroupBarrier();  // before the next round writes its own
//#endif
  }
}
