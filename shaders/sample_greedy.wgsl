// The largest logit of each row, for steps in which no row wants more: one pass over the logits, and a kernel that
// compiles quickly. Bindings and results are those of sample.wgsl.
//#include common/step.wgsl
//#include common/sampling.wgsl
struct Params { vocab: u32, stride: u32 } // row stride of logits
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> sampling: array<Sampling>;       // [logit_rows]
@group(0) @binding(3) var<storage, read> logits: array<f32>;              // [logit_rows][stride]
@group(0) @binding(5) var<storage, read_write> slot_tokens: array<u32>;   // [slot] the next step's input
@group(0) @binding(6) var<storage, read_write> sampled: array<u32>;       // [logit_rows] for the host

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  var best = LEAST;
  var choice = NO_TOKEN;
  for (var t = thread; t < params.vocab; t += WG) {
    let v = logits[row * params.stride + t];
    if (is_nan(v)) { best = BROKEN; choice = NO_TOKEN; }
    let score = min(v, MOST);
    if (score > best) { best = score; choice = t; }
  }
  let token = best_token(thread, best, choice);
  if (thread == 0u) {
    sampled[row] = token;
    // A broken row must not send the next step outside the embedding table before the host stops it.
    slot_tokens[sampling[row].slot] = select(token, 0u, token == NO_TOKEN);
  }
}
