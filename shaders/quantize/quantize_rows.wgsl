// A row of a step's prompts as whole numbers from -127 to 127 times a scale, for products of 8-bit integers: one
// workgroup a row. What is written is described at `activationWords`.
//#if norm
// The row is normalised on the way, as rms_norm.wgsl does it.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/reduce.wgsl
@group(0) @binding(4) var<storage, read> gamma: array<vec4<f32>>;  // [stride4]
//#endif
//#include common/loops.wgsl
//#include common/step.wgsl
struct Quantize {
  k: u32,        // true width
  stride4: u32,  // row stride of x in vec4; the columns from k on are zero
  eps: f32,
  words: u32,    // of a quantised row
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Quantize;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;          // [tokens][stride4]
@group(0) @binding(3) var<storage, read_write> quants: array<u32>;     // [tokens][words]

const HEADER: u32 = 4u;
const INFINITE: u32 = 0x7f800000u;
// 1e-30: rows with nothing larger count as zeros.
const LEAST: u32 = 0x0da24260u;
const STEP: f32 = 1.0 / 127.0;

var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
//#if subgroups
  @builtin(subgroup_size) lanes: u32,
//#endif
) {
  if (thread == 0u) { atomicStore(&largest, 0u); }
  workgroupBarrier();
  let row = step.decode_rows + group.x;
  let origin = row * params.stride4;
//#if norm
//#if subgroups
//#else
  let lanes = 1u;
//#endif
  var squares = 0.0;
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread + n * WG;
    if (i >= params.stride4) { break; }
    let v = x[origin + i];
    squares += dot(v, v);
  }
  let norm_scale = 1.0 / sqrt(workgroup_sum(thread, lanes, squares) / f32(params.k) + params.eps);
//#endif
  // Magnitudes are compared by their bits, among which those of NaN and infinities are the largest: arithmetic on
  // floats may take for granted that there are none.
  var most = 0u;
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread + n * WG;
    if (i >= params.stride4) { break; }
//#if norm
    let v = x[origin + i] * norm_scale * gamma[i];
//#else
    let v = x[origin + i];
//#endif
    let bits = bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
    most = max(most, max(max(bits.x, bits.y), max(bits.z, bits.w)));
  }
  atomicMax(&largest, most);
  workgroupBarrier();
  let top = atomicLoad(&largest);
  let usable = top >= LEAST && top < INFINITE;
  let scale = bitcast<f32>(select(0u, top, usable)) * STEP;
  let inverse = 1.0 / select(1.0, scale, usable);
  let to = row * params.words;
  if (thread == 0u) { quants[to] = select(bitcast<u32>(scale), 0x7fc00000u, top >= INFINITE); }
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread + n * WG;
    if (i >= params.stride4) { break; }
//#if norm
    let v = x[origin + i] * norm_scale * gamma[i];
//#else
    let v = x[origin + i];
//#endif
    quants[to + HEADER + i] = select(0u, pack4xI8(vec4<i32>(round(v * inverse))), usable);
  }
//#if symmetric
//#else
  storageBarrier();
  let groups = (params.stride4 + 2u * GROUP_UNITS - 1u) / (2u * GROUP_UNITS);
  for (var n = 0u; n < ENDLESS; n++) {
    let g = thread + n * WG;
    if (g >= groups) { break; }
    var sum = 0;
    for (var j = 0u; j < 2u * GROUP_UNITS; j++) {
      let i = g * 2u * GROUP_UNITS + j;
      if (i >= params.stride4) { break; }
      sum += dot4I8Packed(quants[to + HEADER + i], 0x01010101u);
    }
    quants[to + HEADER + params.stride4 + g] = bitcast<u32>(sum);
  }
//#endif
}
