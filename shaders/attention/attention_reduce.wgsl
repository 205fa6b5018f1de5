// Joins the parts that attention_decode made, one workgroup a row and head. Rows of one part are finished already; where
// there are no others it is not launched.
//#include common/loops.wgsl
//#include common/step.wgsl
//#include common/row.wgsl
//#if window
struct Attention { scale: f32, out_stride: u32, eighths: u32, window: u32 }
//#else
struct Attention { scale: f32, out_stride: u32 } // out_stride in vec2
//#endif
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Attention;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read> partials: array<vec2<f32>>; // as attention_decode writes it
@group(0) @binding(4) var<storage, read_write> out: array<vec2<f32>>; // [tokens][heads][HALF]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = group.x;
  let row = group.y;
  let origin = (row * HEADS + head) * step.splits * (HALF + 1u);
  let parts = rows[row].position / step.split_tokens + 1u;
//#if window
  // The part in which what the row sees begins.
  let first = (rows[row].position + 1u - min(rows[row].position + 1u, params.window)) / step.split_tokens;
  if (first + 1u == parts) { return; }
//#else
  const first = 0u;
  if (parts == 1u) { return; }
//#endif
  var best = -1e30;
  for (var s = first; s < ENDLESS; s++) {
    if (s >= parts) { break; }
    best = max(best, partials[origin + s * (HALF + 1u) + HALF].x);
  }
  var total = 0.0;
  for (var s = first; s < ENDLESS; s++) {
    if (s >= parts) { break; }
    let part = partials[origin + s * (HALF + 1u) + HALF];
    total += exp(part.x - best) * part.y;
  }
  for (var n = 0u; n < (HALF + 63u) / 64u; n++) {
    let i = thread + n * 64u;
    if (i >= HALF) { break; }
    var sum = vec2<f32>(0.0);
    for (var s = first; s < ENDLESS; s++) {
      if (s >= parts) { break; }
      let at = origin + s * (HALF + 1u);
      sum += exp(partials[at + HALF].x - best) * partials[at + i];
    }
    out[row * params.out_stride + head * HALF + i] = sum / total;
  }
}
