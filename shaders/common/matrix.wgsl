// Subgroup matrices of one configuration. Their WGSL is an extension of Dawn's that still changes: everything a
// change would touch is here, in common/matrix_staged.wgsl and in calibrate_matrix.wgsl.
enable subgroups;
enable chromium_experimental_subgroup_matrix;
//#if half
enable f16;
//#endif
// Matrices are handled under conditions that are the same for a whole subgroup, but not provably so.
diagnostic(off, chromium.subgroup_matrix_uniformity);
//#if component_f16
alias Component = f16;
//#elif component_f32
alias Component = f32;
//#elif component_i8
alias Component = i8;
//#else
alias Component = u8;
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
