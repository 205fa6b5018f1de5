//#include common/matrix.wgsl
// Operands and results in workgroup memory, from which subgroupMatrixLoad reads them: places and the pitch from row to row
// count elements of 16 bytes (eight f16, sixteen i8, four f32 or i32), to which drivers may ask matrices to be aligned.
// Matrices of i8 whose rows are 8 numbers long have elements of 8 bytes. A row's pitch is an odd number of 16 bytes, so
// that eight rows, which a subgroup reads at once, lie in different banks.
//
// The loads are written out where they are needed, their pitch a constant and their place made of constants and a
// thread's number: through a function's parameters Dawn sees no bounds and puts a check of 13 operations before each.
//#if short_rows
alias Element = vec2<u32>;
//#else
alias Element = vec4<u32>;
//#endif
var<workgroup> staged: array<Element, STAGED>;
