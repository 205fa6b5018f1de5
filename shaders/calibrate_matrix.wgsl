// Subgroup-matrix multiply-adds and nothing else: four independent accumulators a subgroup.
enable subgroups;
enable chromium_experimental_subgroup_matrix;
//#if half
enable f16;
//#endif
diagnostic(off, chromium.subgroup_matrix_uniformity);
//#if component_f16
alias Component = f16;
alias Stored = f16;
//#elif component_f32
alias Component = f32;
alias Stored = f32;
//#elif component_i8
alias Component = i8;
alias Stored = i32;
//#else
alias Component = u8;
alias Stored = u32;
//#endif
//#if result_f16
alias Result = f16;
//#elif result_f32
alias Result = f32;
//#elif result_i32
alias Result = i32;
//#else
alias Result = u32;
//#endif
alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<Result, MATRIX_N, MATRIX_M>;
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<Stored>;
@group(0) @binding(2) var<storage, read_write> sink: array<Result>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
  let left = subgroupMatrixLoad<Left, row_major>(&source, 0u, MATRIX_K);
  let right = subgroupMatrixLoad<Right, row_major>(&source, 0u, MATRIX_N);
  var a: Sum;
  var b: Sum;
  var c: Sum;
  var d: Sum;
  for (var round = 0u; round < params.rounds; round++) {
    a = subgroupMatrixMultiplyAccumulate(left, right, a);
    b = subgroupMatrixMultiplyAccumulate(left, right, b);
    c = subgroupMatrixMultiplyAccumulate(left, right, c);
    d = subgroupMatrixMultiplyAccumulate(left, right, d);
  }
  subgroupMatrixStore<row_major>(&sink, 0u, a, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, MATRIX_N * MATRIX_M, b, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, 2u * MATRIX_N * MATRIX_M, c, MATRIX_N);
  subgroupMatrixStore<row_major>(&sink, 3u * MATRIX_N * MATRIX_M, d, MATRIX_N);
}
