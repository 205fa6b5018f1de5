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
  cols: u32,        // true width of x
  eps: f32,         // of the norm
//#if bias
  bias_at: u32,     // where biases begin behind gamma, in pairs
//#endif
}
// The epilogue is a branch at the very end, not a variant: three times fewer pipelines to compile at start-up.
const STORE: u32 = 0u;
const RESIDUAL: u32 = 1u;  // added to what is there
const SILU: u32 = 2u;      // rows of weights come in pairs, gate and up; silu(gate) * up is stored
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Matmul;
fn stored_rows() -> u32 { return params.n; }
//#if rope
// The queries, keys and values of decoding sequences go where attention finds them.
@group(0) @binding(4) var<storage, read_write> queries: array<vec2<f32>>;  // [m][heads][HDP / 2]
@group(0) @binding(6) var<storage, read> rows: array<Row>;
@group(0) @binding(7) var<storage, read> angles: array<vec2<f32>>;         // [position][HALF] cos, sin
@group(0) @binding(8) var<storage, read_write> keys: array<Filed>;
@group(0) @binding(9) var<storage, read_write> values: array<Filed>;
//#include common/file.wgsl
//#else
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [m][out_stride]
//#endif

// Kernels for many rows make the rows of prompts, kernels for few rows those of decoding sequences and of logits: a row
// is summed in the same order whoever else is in the step.
//#if prefill
fn row_begin() -> u32 { return step.decode_rows; }
fn row_end() -> u32 { return step.tokens; }
//#else
fn row_begin() -> u32 { return 0u; }
fn row_end() -> u32 { return select(step.decode_rows, step.logit_rows, params.logits == 1u); }
//#endif

// The row of x that row m is made of.
//#if wanted
@group(0) @binding(6) var<storage, read> wanted: array<u32>;  // [logit_rows]
fn x_row(m: u32) -> u32 { return wanted[m]; }
//#else
fn x_row(m: u32) -> u32 { return m; }
//#endif

//#if norm
// RMSNorm inside the product: x is scaled by gamma as it is read and the sums by this, since the mean of the squares is
// known only at the end.
fn norm_scale(squares: f32) -> f32 { return 1.0 / sqrt(squares / f32(params.cols) + params.eps); }
//#endif

// Finishes outputs n and n + 1 of row m; n is even, and n + 1 may lie beyond an odd number of outputs.
//#if rope
fn finish_pair(m: u32, n: u32, first: f32, second: f32) {
  let at = (params.n_begin + n) / 2u;
//#if bias
  file_pair(m, at, vec2<f32>(first, second) + constant_pair(params.bias_at + at));
//#else
  file_pair(m, at, vec2<f32>(first, second));
//#endif
}
//#else
fn silu(v: f32) -> f32 { return v / (1.0 + exp(-v)); }

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
//#endif
