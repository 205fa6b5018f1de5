//#include common/loops.wgsl
// Sums and maxima over a workgroup of WG threads. Call from uniform control flow; the result is uniform, so it may
// steer control flow around further barriers. `thread` is the local index.
//#if subgroups
const TEAM_SLOTS: u32 = WG / 4u;  // no adapter has subgroups of fewer than four lanes
//#else
const TEAM_SLOTS: u32 = WG;
//#endif
var<workgroup> team_values: array<f32, TEAM_SLOTS>;
var<workgroup> agreed: f32;

//#if subgroups
fn workgroup_sum(thread: u32, lanes: u32, value: f32) -> f32 {
  let team_sum = subgroupAdd(value);
  if (thread % lanes == 0u) { team_values[thread / lanes] = team_sum; }
  workgroupBarrier();
//#if lanes_join
  var part = 0.0;
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread % lanes + n * lanes;
    if (i >= WG / lanes) { break; }
    part += team_values[i];
  }
  let total = subgroupAdd(part);
  if (thread == 0u) { agreed = total; }
//#else
  if (thread == 0u) {
    var total = 0.0;
    for (var i = 0u; i < ENDLESS; i++) {
      if (i >= WG / lanes) { break; }
      total += team_values[i];
    }
    agreed = total;
  }
//#endif
  return workgroupUniformLoad(&agreed);
}
fn workgroup_max(thread: u32, lanes: u32, value: f32) -> f32 {
  let team_max = subgroupMax(value);
  if (thread % lanes == 0u) { team_values[thread / lanes] = team_max; }
  workgroupBarrier();
//#if lanes_join
  var part = team_values[0];
  for (var n = 0u; n < ENDLESS; n++) {
    let i = thread % lanes + n * lanes;
    if (i >= WG / lanes) { break; }
    part = max(part, team_values[i]);
  }
  let best = subgroupMax(part);
  if (thread == 0u) { agreed = best; }
//#else
  if (thread == 0u) {
    var best = team_values[0];
    for (var i = 1u; i < ENDLESS; i++) {
      if (i >= WG / lanes) { break; }
      best = max(best, team_values[i]);
    }
    agreed = best;
  }
//#endif
  return workgroupUniformLoad(&agreed);
}
//#else
fn workgroup_sum(thread: u32, lanes: u32, value: f32) -> f32 {
  team_values[thread] = value;
  workgroupBarrier();
  for (var n = 1u; n < 32u; n++) {
    let span = WG >> n;
    if (span == 0u) { break; }
    if (thread < span) { team_values[thread] += team_values[thread + span]; }
    workgroupBarrier();
  }
  if (thread == 0u) { agreed = team_values[0]; }
  return workgroupUniformLoad(&agreed);
}
fn workgroup_max(thread: u32, lanes: u32, value: f32) -> f32 {
  team_values[thread] = value;
  workgroupBarrier();
  for (var n = 1u; n < 32u; n++) {
    let span = WG >> n;
    if (span == 0u) { break; }
    if (thread < span) { team_values[thread] = max(team_values[thread], team_values[thread + span]); }
    workgroupBarrier();
  }
  if (thread == 0u) { agreed = team_values[0]; }
  return workgroupUniformLoad(&agreed);
}
//#endif
