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
//#include common/sampling.wgsl
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
@group(0) @binding(7) var<storage, read> masks: array<u32>;                  // [slot][mask words] tokens that may come

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

fn allowed(token: u32, s: Sampling) -> bool {
  if ((s.flags & 2u) == 0u) { return true; }
  let words = (params.vocab + 31u) / 32u;
  return ((masks[s.slot * words + token / 32u] >> (token % 32u)) & 1u) == 1u;
}

// Of a token that may not come: so little that it has no share in any mass and is below every threshold.
fn logit(row: u32, token: u32, s: Sampling) -> f32 {
  if (!allowed(token, s)) { return LEAST; }
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

  var mine = LEAST;
  for (var t = thread; t < params.vocab; t += WG) {
    mine = max(mine, logit(row, t, s));
  }
  let top = workgroup_max(thread, lanes, mine);

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

  var best = LEAST;
  var choice = NO_TOKEN;
  let stream = hash(s.seed ^ hash(s.draw));
  for (var t = thread; t < params.vocab; t += WG) {
    let v = logit(row, t, s);
    if (is_nan(v)) { best = BROKEN; choice = NO_TOKEN; }
    if (allowed(t, s) && (greedy || key_of(v) >= floor_key)) {
      var score = v;
      if (!greedy) {
        // u is never 0 and never 1, so both logarithms are finite. Where it is small, -log(1 - u) is its series: near
        // 1 a driver's log may be off by 2^-21, and noise that came out as 0 would win against any logit.
        let u = min((f32(hash(stream ^ hash(t))) + 0.5) / 4294967296.0, 0.99999994);
        let exponential = select(-log(1.0 - u), u * (1.0 + u * (0.5 + u / 3.0)), u < 0.01);
        score = (v - top) * warmth - log(exponential);
      }
      score = min(score, MOST);
      if (score > best) { best = score; choice = t; }
    }
  }
  let token = best_token(thread, best, choice);
  if (thread == 0u) {
    sampled[row] = token;
    // A broken row must not send the next step outside the embedding table before the host stops it.
    slot_tokens[s.slot] = select(token, 0u, token == NO_TOKEN);
    if ((s.flags & 1u) != 0u && token != NO_TOKEN) { state[s.slot * params.vocab + token].seen += 1u; }
  }
}
