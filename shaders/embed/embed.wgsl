// Rows of the embedding table become the residual stream. The table may lie in parts; each part's launch writes the
// rows whose token it holds.
//#include common/loops.wgsl
//#include common/step.wgsl
//#include common/row.wgsl
//#include common/weights.wgsl
struct Embed {
  begin: u32,    // first token id of this part
  end: u32,      // one past its last
  k8: u32,       // columns / 8
  stride4: u32,  // row stride of out in vec4
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Embed;
fn stored_rows() -> u32 { return params.end - params.begin; }
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(4) var<storage, read> slot_tokens: array<u32>;  // what the sampler chose last, per slot
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;  // [tokens][stride4]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = rows[group.x];
  var token = row.token;
  if (token == TOKEN_FROM_SLOT) { token = slot_tokens[row.slot]; }
  if (token < params.begin || token >= params.end) { return; }
  let origin = token - params.begin;
  for (var n = 0u; n < ENDLESS; n++) {
    let k = thread + n * WG;
    if (k >= params.k8) { break; }
    let w = load_weights(origin, k);
    let to = group.x * params.stride4 + 2u * k;
    out[to] = w.lo;
    out[to + 1u] = w.hi;
  }
}
