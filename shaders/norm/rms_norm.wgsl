// out[row] = x[row] / sqrt(mean(x[row]^2) + eps) * gamma, one workgroup a row of prompts. Products for few rows
// normalise what they read themselves.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/loops.wgsl
//#include common/step.wgsl
//#include common/reduce.wgsl
struct Norm {
  k: u32,        // true width
  stride4: u32,  // row stride of x and out in vec4; the columns from k on are zero
  eps: f32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Norm;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;      // [tokens][stride4]
@group(0) @binding(3) var<storage, read> gamma: array<vec4<f32>>;  // [stride4]
//#if half_rows
// For products that multiply f16.
//#include common/halves.wgsl
@group(0) @binding(4) var<storage, read_write> out: array<vec2<u32>>;
//#else
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
//#endif

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
//#if subgroups
  @builtin(subgroup_size) lanes: u32,
//#endif
) {
//#if subgroups
//#else
  let lanes = 1u;
//#endif
  let origin = (step.decode_rows + group.x) * params.stride4;
  var squares = 0.0;
  for (var n = 0u; n < ENDLESS; n++) {
    let i = n * (AT_ONCE * WG) + thread;
    if (i >= params.stride4) { break; }
//#repeat j AT_ONCE
    let v$j$ = x[origin + min(i + $j$u * WG, params.stride4 - 1u)];
//#endrepeat
//#repeat j AT_ONCE
    if (i + $j$u * WG < params.stride4) { squares += dot(v$j$, v$j$); }
//#endrepeat
  }
  let total = workgroup_sum(thread, lanes, squares);
  let scale = 1.0 / sqrt(total / f32(params.k) + params.eps);
  for (var n = 0u; n < ENDLESS; n++) {
    let i = n * (AT_ONCE * WG) + thread;
    if (i >= params.stride4) { break; }
//#repeat j AT_ONCE
    let v$j$ = x[origin + min(i + $j$u * WG, params.stride4 - 1u)];
    let g$j$ = gamma[min(i + $j$u * WG, params.stride4 - 1u)];
//#endrepeat
//#repeat j AT_ONCE
    if (i + $j$u * WG < params.stride4) {
//#if half_rows
      out[origin + i + $j$u * WG] = in_f16(v$j$ * scale * g$j$);
//#else
      out[origin + i + $j$u * WG] = v$j$ * scale * g$j$;
//#endif
    }
//#endrepeat
  }
}
