// The largest logit of each row, for steps in which no row wants more: one pass over the logits, and a kernel that
// compiles quickly. Bindings and results are those of sample.wgsl.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/step.wgsl
//#include sample/sampling.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> sampling: array<Sampling>;       // [logit_rows]
@group(0) @binding(3) var<storage, read> logits: array<vec4<f32>>;        // [logit_rows][stride4]
@group(0) @binding(5) var<storage, read_write> slot_tokens: array<u32>;   // [slot] the next step's input
@group(0) @binding(6) var<storage, read_write> sampled: array<u32>;       // [logit_rows] for the host

fn take(best: Scored, v: f32, token: u32) -> Scored {
  if (token >= params.vocab) { return best; }
  if (is_nan(v)) { return Scored(BROKEN, NO_TOKEN); }
  let score = min(v, MOST);
  if (score > best.score) { return Scored(score, token); }
  return best;
}

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
  let row = group.x;
  let origin = row * params.stride4;
  let quads = (params.vocab + 3u) / 4u;
  var best = Scored(LEAST, NO_TOKEN);
  for (var n = 0u; n < ENDLESS; n++) {
    let quad = n * (AT_ONCE * WG) + thread;
    if (quad >= quads) { break; }
//#repeat j AT_ONCE
    let v$j$ = logits[origin + min(quad + $j$u * WG, quads - 1u)];
//#endrepeat
//#repeat j AT_ONCE
    {
      let token = 4u * (quad + $j$u * WG);
      best = take(best, v$j$.x, token);
      best = take(best, v$j$.y, token + 1u);
      best = take(best, v$j$.z, token + 2u);
      best = take(best, v$j$.w, token + 3u);
    }
//#endrepeat
  }
  let token = best_token(thread, lanes, best);
  if (thread == 0u) {
    sampled[row] = token;
    // A broken row must not send the next step outside the embedding table before the host stops it.
    slot_tokens[sampling[row].slot] = select(token, 0u, token == NO_TOKEN);
  }
}
