//#include common/matrix.wgsl
// Operands and results in workgroup memory: `at` and `pitch`, the distance from row to row, count elements. Those are of
// 16 bytes (eight f16 or four f32), or of 8 (eight i8 or two i32), since the smallest matrices of i8 have rows of 8. A
// row's pitch is an odd number of 16 bytes, so that eight rows, which a subgroup reads at once, lie in different banks.
//#if component_i8
var<workgroup> staged: array<vec2<u32>, STAGED>;
//#else
var<workgroup> staged: array<vec4<u32>, STAGED>;
//#endif

// Rows of m, columns of k.
fn left_at(at: u32, pitch: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&staged, at, pitch); }
// Rows of n, columns of k: the transpose of what is multiplied.
fn right_at(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&staged, at, pitch); }
// Rows of k, columns of n.
fn right_across(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&staged, at, pitch); }
fn sum_at(at: u32, pitch: u32) -> Sum { return subgroupMatrixLoad<Sum, row_major>(&staged, at, pitch); }
fn put_sum(at: u32, pitch: u32, sum: Sum) { subgroupMatrixStore<row_major>(&staged, at, sum, pitch); }
fn accumulate(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
