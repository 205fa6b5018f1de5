//#include common/matrix.wgsl
// Operands of f16 and results in workgroup memory, 16 bytes (eight f16 or four f32) an element: `at` and `pitch`, the
// distance from row to row, count elements. A row's pitch is odd, so that eight rows of 16 bytes, which a subgroup
// reads at once, lie in different banks.
var<workgroup> staged: array<vec4<u32>, STAGED>;

// Rows of m, columns of k.
fn left_at(at: u32, pitch: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&staged, at, pitch); }
// Rows of n, columns of k: the transpose of what is multiplied.
fn right_at(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&staged, at, pitch); }
// Rows of k, columns of n.
fn right_across(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&staged, at, pitch); }
fn sum_at(at: u32, pitch: u32) -> Sum { return subgroupMatrixLoad<Sum, row_major>(&staged, at, pitch); }
fn put_sum(at: u32, pitch: u32, sum: Sum) { subgroupMatrixStore<row_major>(&staged, at, sum, pitch); }
fn accumulate(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
