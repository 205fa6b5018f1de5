// Subgroup-matrix multiply-adds and nothing else: four independent accumulators a subgroup.
//#include common/matrix.wgsl
//#if component_f16
alias Stored = f16;
//#elif component_f32
alias Stored = f32;
//#elif component_i8
alias Stored = i32;
//#else
alias Stored = u32;
//#endif
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<Stored>;
@group(0) @binding(2) var<storage, read_write> sink: array<Result>;

const LEFT: u32 = MATRIX_M * MATRIX_K;
const RIGHT: u32 = MATRIX_N * MATRIX_K;
const SUM: u32 = MATRIX_M * MATRIX_N;
fn left_at(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&source, at * LEFT, MATRIX_K); }
fn right_at(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&source, at * RIGHT, MATRIX_K); }

@compute @workgroup_size(WG)
fn main() {
//#if fresh
//#else
  let left_0 = left_at(0u);
  let left_1 = left_at(1u);
  let right_0 = right_at(2u);
  let right_1 = right_at(3u);
//#endif
  var a: Sum;
  var b: Sum;
  var c: Sum;
  var d: Sum;
  for (var round = 0u; round < params.rounds; round++) {
//#if fresh
    // A CPU driver spells the product out, and its compiler takes the product of unchanging operands out of the loop.
    let at = round % 8u;
    let left_0 = left_at(at);
    let left_1 = left_at(at + 1u);
    let right_0 = right_at(at + 2u);
    let right_1 = right_at(at + 3u);
//#endif
    a = subgroupMatrixMultiplyAccumulate(left_0, right_0, a);
    b = subgroupMatrixMultiplyAccumulate(left_0, right_1, b);
    c = subgroupMatrixMultiplyAccumulate(left_1, right_0, c);
    d = subgroupMatrixMultiplyAccumulate(left_1, right_1, d);
  }
  subgroupMatrixStore<row_major>(&sink, 0u, a, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, SUM, b, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, 2u * SUM, c, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, 3u * SUM, d, MATRIX_N);
}
