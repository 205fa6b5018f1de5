//#include common/step.wgsl
//#include common/weights.wgsl
// out[m][n] = sum over k of x[m][k] * weights[n][k]; what is done with the sum is the epilogue.
struct Matmul {
  n: u32,           // rows of this part of the weight matrix
  n_begin: u32,     // its first row in the whole matrix
  k8: u32,          // columns / 8
  x_stride4: u32,   // row stride of x in vec4
  out_stride: u32,  // row stride of out in f32
  logits: u32,      // 1: a row per wanted logit, 0: a row per token
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Matmul;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;  // [m][x_stride4]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [m][out_stride]

fn row_count() -> u32 { return select(step.tokens, step.logit_rows, params.logits == 1u); }

fn silu(v: f32) -> f32 { return v / (1.0 + exp(-v)); }

//#if silu
// Rows come in pairs: gate, up. `n` is even.
fn finish_pair(m: u32, n: u32, gate: f32, up: f32) {
  out[m * params.out_stride + (params.n_begin + n) / 2u] = silu(gate) * up;
}
//#else
fn finish(m: u32, n: u32, value: f32) {
  let i = m * params.out_stride + params.n_begin + n;
//#if residual
  out[i] += value;
//#else
  out[i] = value;
//#endif
}
//#endif
