// Chooses the next token of each row that wants one, one workgroup a row:
// penalties and bias -> temperature -> top-k -> top-p -> min-p -> a draw (or the largest).
//
// Nothing is sorted. Logits are compared through an order-preserving map to u32, and the k-th largest, or the largest
// value whose tail still holds p of the mass, is found by bisection over those 32 bits. The draw is the Gumbel-max
// trick: the largest of logit + noise, with noise from a hash of (seed, step, token), so that it depends neither on
// the other sequences in the batch nor on how the work is spread over threads.
//#if subgroups
enable subgroups;
diagnostic(off, subgroup_uniformity);
//#endif
//#include common/step.wgsl
//#include common/reduce.wgsl
struct Sampling {
  slot: u32,
  flags: u32,          // 1: tokens are counted (penalties) and biased through the state table
  temperature: f32,    // 0: greedy
  top_k: u32,          // 0: off
  top_p: f32,          // 1: off
  min_p: f32,          // 0: off
  repetition: f32,     // 1: off
  presence: f32,
  frequency: f32,
  seed: u32,
  draw: u32,           // index of this token in its generation
  reserved: u32,
}
struct TokenState {
  seen: u32,   // bit 31: in the prompt; below: times generated
  bias: f32,
}
struct Params { vocab: u32, stride: u32 } // row stride of logits
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> sampling: array<Sampling>;          // [logit_rows]
@group(0) @binding(3) var<storage, read> logits: array<f32>;                 // [logit_rows][stride]
@group(0) @binding(4) var<storage, read_write> state: array<TokenState>;     // [slot][vocab]
@group(0) @binding(5) var<storage, read_write> slot_tokens: array<u32>;      // [slot] the next step's input
@group(0) @binding(6) var<storage, read_write> sampled: array<u32>;          // [logit_rows] for the host

const NO_TOKEN: u32 = 0xffffffffu;
const NOT_A_NUMBER: u32 = 0x7f800000u; // magnitudes above this are NaN
var<workgroup> best_values: array<f32, WG>;
var<workgroup> best_tokens: array<u32, WG>;

fn hash(v: u32) -> u32 {
  let s = v * 747796405u + 2891336453u;
  let word = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u;
  return (word >> 22u) ^ word;
}

/// u32 with the order of f32.
fn key_of(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn logit(row: u32, token: u32, s: Sampling) -> f32 {
  var v = logits[row * params.stride + token];
  if ((s.flags & 1u) != 0u) {
    let known = state[s.slot * params.vocab + token];
    let count = known.seen & 0x7fffffffu;
    if (known.seen != 0u) { v = select(v * s.repetition, v / s.repetition, v > 0.0); }
    if (count > 0u) { v -= s.presence + f32(count) * s.frequency; }
    v += known.bias;
  }
  return v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
//#if subgroups
  @builtin(subgroup_size) lanes: u32,
//#endif
) {
//#if subgroups
//#else
  let lanes = 1u;
//#endif
  let row = group.x;
  let s = sampling[row];
  let greedy = s.temperature == 0.0;
  let warmth = select(1.0 / s.temperature, 1.0, greedy);

  var mine = -3.4e38;
  var broken = 0.0;
  for (var t = thread; t < params.vocab; t += WG) {
    let v = logit(row, t, s);
    if ((bitcast<u32>(v) & 0x7fffffffu) > NOT_A_NUMBER) { broken = 1.0; }
    mine = max(mine, v);
  }
  let top = workgroup_max(thread, lanes, mine);
  let any_broken = workgroup_max(thread, lanes, broken);

  // The smallest key that survives; the workgroup agrees on it because all reductions give every thread one value.
  var floor_key = 0u;
  if (!greedy && s.top_k > 0u && s.top_k < params.vocab) {
    var low = 0u;             // count of keys >= low is at least k
    var high = 0xffffffffu;   // count of keys >= high is below k
    while (high - low > 1u) {
      let middle = low + (high - low) / 2u;
      var count = 0.0;
      for (var t = thread; t < params.vocab; t += WG) { count += select(0.0, 1.0, key_of(logit(row, t, s)) >= middle); }
      let enough = workgroup_sum(thread, lanes, count) >= f32(s.top_k);
      low = select(low, middle, enough);
      high = select(middle, high, enough);
    }
    floor_key = low;
  }
  if (!greedy && s.top_p < 1.0) {
    var mass = 0.0;
    for (var t = thread; t < params.vocab; t += WG) {
      let v = logit(row, t, s);
      if (key_of(v) >= floor_key) { mass += exp((v - top) * warmth); }
    }
    let wanted = s.top_p * workgroup_sum(thread, lanes, mass);
    var low = floor_key;      // mass of keys >= low is at least what is wanted
    var high = key_of(top) + 1u;
    while (high - low > 1u) {
      let middle = low + (high - low) / 2u;
      var part = 0.0;
      for (var t = thread; t < params.vocab; t += WG) {
        let v = logit(row, t, s);
        if (key_of(v) >= middle) { part += exp((v - top) * warmth); }
      }
      let enough = workgroup_sum(thread, lanes, part) >= wanted;
      low = select(low, middle, enough);
      high = select(middle, high, enough);
    }
    floor_key = low;
  }
  if (!greedy && s.min_p > 0.0) { floor_key = max(floor_key, key_of(top + log(s.min_p) * s.temperature)); }

  var best = -3.4e38;
  var choice = NO_TOKEN;
  let stream = hash(s.seed ^ hash(s.draw));
  for (var t = thread; t < params.vocab; t += WG) {
    let v = logit(row, t, s);
    if (greedy || key_of(v) >= floor_key) {
      var score = v;
      if (!greedy) {
        // u is never 0 and never 1, so both logarithms are finite. Where it is small, -log(1 - u) is its series: near
        // 1 a driver's log may be off by 2^-21, and noise that came out as 0 would win against any logit.
        let u = min((f32(hash(stream ^ hash(t))) + 0.5) / 4294967296.0, 0.99999994);
        let exponential = select(-log(1.0 - u), u * (1.0 + u * (0.5 + u / 3.0)), u < 0.01);
        score = (v - top) * warmth - log(exponential);
      }
      if (score > best) { best = score; choice = t; }
    }
  }
  best_values[thread] = best;
  best_tokens[thread] = choice;
  workgroupBarrier();
  for (var span = WG / 2u; span > 0u; span /= 2u) {
    if (thread < span) {
      let other = best_values[thread + span];
      let token = best_tokens[thread + span];
      // Equal values go to the smaller id, as a plain scan would have it.
      if (other > best_values[thread] || (other == best_values[thread] && token < best_tokens[thread])) {
        best_values[thread] = other;
        best_tokens[thread] = token;
      }
    }
    workgroupBarrier();
  }
  if (thread == 0u) {
    let token = select(best_tokens[0], NO_TOKEN, any_broken > 0.0);
    sampled[row] = token;
    // A broken row must not send the next step outside the embedding table before the host stops it.
    slot_tokens[s.slot] = select(token, 0u, token == NO_TOKEN);
    if ((s.flags & 1u) != 0u && token != NO_TOKEN) { state[s.slot * params.vocab + token].seen += 1u; }
  }
}
