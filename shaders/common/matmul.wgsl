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
  epilogue: u32,
}
// The epilogue is a branch at the very end, not a variant: three times fewer pipelines to compile at start-up.
const STORE: u32 = 0u;
const RESIDUAL: u32 = 1u;  // added to what is there
const SILU: u32 = 2u;      // rows of weights come in pairs, gate and up; silu(gate) * up is stored
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Matmul;
fn stored_rows() -> u32 { return params.n; }
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [m][out_stride]

// Kernels for many rows make the rows of prompts, kernels for few rows those of decoding sequences and of logits: a row
// is summed in the same order whoever else is in the step.
//#if prefill
fn row_begin() -> u32 { return step.decode_rows; }
fn row_end() -> u32 { return step.tokens; }
//#else
fn row_begin() -> u32 { return 0u; }
fn row_end() -> u32 { return select(step.decode_rows, step.logit_rows, params.logits == 1u); }
//#endif

fn silu(v: f32) -> f32 { return v / (1.0 + exp(-v)); }

// Finishes outputs n and n + 1 of row m; n is even, and n + 1 may lie beyond an odd number of outputs.
fn finish_pair(m: u32, n: u32, first: f32, second: f32) {
  let row = m * params.out_stride;
  let at = row + params.n_begin + n;
  if (params.epilogue == SILU) {
    out[row + (params.n_begin + n) / 2u] = silu(first) * second;
    return;
  }
  let add = params.epilogue == RESIDUAL;
  var v = first;
  if (add) { v += out[at]; }
  out[at] = v;
  if (n + 1u < params.n) {
    v = second;
    if (add) { v += out[at + 1u]; }
    out[at + 1u] = v;
  }
}
