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
//#include sample/sampling.wgsl
struct TokenState {
  seen: u32,   // bit 31: in the prompt; below: times generated
  bias: f32,
}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> sampling: array<Sampling>;          // [logit_rows]
@group(0) @binding(3) var<storage, read> logits: array<vec4<f32>>;           // [logit_rows][stride4]
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
fn logit(raw: f32, token: u32, s: Sampling) -> f32 {
  if (token >= params.vocab || !allowed(token, s)) { return LEAST; }
  var v = raw;
  if ((s.flags & 1u) != 0u) {
    let known = state[s.slot * params.vocab + token];
    let count = known.seen & 0x7fffffffu;
    if (known.seen != 0u) { v = select(v * s.repetition, v / s.repetition, v > 0.0); }
    if (count > 0u) { v -= s.presence + f32(count) * s.frequency; }
    v += known.bias;
  }
  return v;
}

fn quads() -> u32 { return (params.vocab + 3u) / 4u; }

fn raw_quad(row: u32, quad: u32) -> vec4<f32> { return logits[row * params.stride4 + min(quad, quads() - 1u)]; }

// Tokens 4 * quad and the three behind it. Most rows want them as they are.
fn quad_of(raw: vec4<f32>, quad: u32, s: Sampling) -> vec4<f32> {
  let token = 4u * quad;
  var v = raw;
  if ((s.flags & 3u) != 0u || token + 4u > params.vocab) {
    v = vec4<f32>(
      logit(raw.x, token, s), logit(raw.y, token + 1u, s), logit(raw.z, token + 2u, s), logit(raw.w, token + 3u, s));
  }
  return v;
}

fn keys_of(v: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(v);
  return select(bits | vec4<u32>(0x80000000u), ~bits, (bits & vec4<u32>(0x80000000u)) != vec4<u32>());
}

// What a thread's tokens whose key is at least `least` add up to: how many they are, or their mass.
fn counted(row: u32, thread: u32, least: u32, s: Sampling) -> f32 {
  var count = vec4<f32>();
  for (var n = 0u; n < ENDLESS; n++) {
    let quad = n * (AT_ONCE * WG) + thread;
    if (quad >= quads()) { break; }
//#repeat j AT_ONCE
    let v$j$ = raw_quad(row, quad + $j$u * WG);
//#endrepeat
//#repeat j AT_ONCE
    count += select(vec4<f32>(), vec4<f32>(1.0), keys_of(quad_of(v$j$, quad + $j$u * WG, s)) >= vec4<u32>(least));
//#endrepeat
  }
  return count.x + count.y + count.z + count.w;
}

fn massed(row: u32, thread: u32, least: u32, top: f32, warmth: f32, s: Sampling) -> f32 {
  var mass = vec4<f32>();
  for (var n = 0u; n < ENDLESS; n++) {
    let quad = n * (AT_ONCE * WG) + thread;
    if (quad >= quads()) { break; }
//#repeat j AT_ONCE
    let v$j$ = raw_quad(row, quad + $j$u * WG);
//#endrepeat
//#repeat j AT_ONCE
    {
      let v = quad_of(v$j$, quad + $j$u * WG, s);
      let kept = keys_of(v) >= vec4<u32>(least);
      if (any(kept)) { mass += select(vec4<f32>(), exp((v - top) * warmth), kept); }
    }
//#endrepeat
  }
  return mass.x + mass.y + mass.z + mass.w;
}

// What a draw needs to know of its row.
struct Draw { greedy: bool, floor_key: u32, top: f32, warmth: f32, stream: u32 }

fn take(before: Scored, v: f32, token: u32, d: Draw) -> Scored {
  var best = before;
  if (is_nan(v)) { best = Scored(BROKEN, NO_TOKEN); }
  if (d.greedy || key_of(v) >= d.floor_key) {
    var score = v;
    if (!d.greedy) {
      // u is never 0 and never 1, so both logarithms are finite. Where it is small, -log(1 - u) is its series: near
      // 1 a driver's log may be off by 2^-21, and noise that came out as 0 would win against any logit.
      let u = min((f32(hash(d.stream ^ hash(token))) + 0.5) / 4294967296.0, 0.99999994);
      let exponential = select(-log(1.0 - u), u * (1.0 + u * (0.5 + u / 3.0)), u < 0.01);
      score = (v - d.top) * d.warmth - log(exponential);
    }
    score = min(score, MOST);
    if (score > best.score) { best = Scored(score, token); }
  }
  return best;
}

// Which of a quad's tokens there are and may come, a bit each.
fn candidates(quad: u32, s: Sampling) -> u32 {
  let token = 4u * quad;
  var bits = (1u << min(4u, params.vocab - min(token, params.vocab))) - 1u;
  if ((s.flags & 2u) != 0u && bits != 0u) {
    bits &= masks[s.slot * ((params.vocab + 31u) / 32u) + token / 32u] >> (token % 32u);
  }
  return bits;
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

  var mine = vec4<f32>(LEAST);
  for (var n = 0u; n < ENDLESS; n++) {
    let quad = n * (AT_ONCE * WG) + thread;
    if (quad >= quads()) { break; }
//#repeat j AT_ONCE
    let v$j$ = raw_quad(row, quad + $j$u * WG);
//#endrepeat
//#repeat j AT_ONCE
    mine = max(mine, quad_of(v$j$, quad + $j$u * WG, s));
//#endrepeat
  }
  let top = workgroup_max(thread, lanes, max(max(mine.x, mine.y), max(mine.z, mine.w)));

  // The smallest key that survives; the workgroup agrees on it because all reductions give every thread one value.
  var floor_key = 0u;
  if (!greedy && s.top_k > 0u && s.top_k < params.vocab) {
    var low = 0u;             // count of keys >= low is at least k
    var high = 0xffffffffu;   // count of keys >= high is below k
    for (var halving = 0u; halving < 33u; halving++) {
      if (high - low <= 1u) { break; }
      let middle = low + (high - low) / 2u;
      let enough = workgroup_sum(thread, lanes, counted(row, thread, middle, s)) >= f32(s.top_k);
      low = select(low, middle, enough);
      high = select(middle, high, enough);
    }
    floor_key = low;
  }
  if (!greedy && s.top_p < 1.0) {
    let wanted = s.top_p * workgroup_sum(thread, lanes, massed(row, thread, floor_key, top, warmth, s));
    var low = floor_key;      // mass of keys >= low is at least what is wanted
    var high = key_of(top) + 1u;
    for (var halving = 0u; halving < 33u; halving++) {
      if (high - low <= 1u) { break; }
      let middle = low + (high - low) / 2u;
      let enough = workgroup_sum(thread, lanes, massed(row, thread, middle, top, warmth, s)) >= wanted;
      low = select(low, middle, enough);
      high = select(middle, high, enough);
    }
    floor_key = low;
  }
  if (!greedy && s.min_p > 0.0) { floor_key = max(floor_key, key_of(top + log(s.min_p) * s.temperature)); }

  let draw = Draw(greedy, floor_key, top, warmth, hash(s.seed ^ hash(s.draw)));
  var best = Scored(LEAST, NO_TOKEN);
  for (var n = 0u; n < ENDLESS; n++) {
    let quad = n * (AT_ONCE * WG) + thread;
    if (quad >= quads()) { break; }
//#repeat j AT_ONCE
    let v$j$ = raw_quad(row, quad + $j$u * WG);
//#endrepeat
//#repeat j AT_ONCE
    {
      let v = quad_of(v$j$, quad + $j$u * WG, s);
      let token = 4u * (quad + $j$u * WG);
      let candidate = candidates(quad + $j$u * WG, s);
      if ((candidate & 1u) != 0u) { best = take(best, v.x, token, draw); }
      if ((candidate & 2u) != 0u) { best = take(best, v.y, token + 1u, draw); }
      if ((candidate & 4u) != 0u) { best = take(best, v.z, token + 2u, draw); }
      if ((candidate & 8u) != 0u) { best = take(best, v.w, token + 3u, draw); }
    }
//#endrepeat
  }
  let token = best_token(thread, lanes, best);
  if (thread == 0u) {
    sampled[row] = token;
    // A broken row must not send the next step outside the embedding table before the host stops it.
    slot_tokens[s.slot] = select(token, 0u, token == NO_TOKEN);
    if ((s.flags & 1u) != 0u && token != NO_TOKEN) { state[s.slot * params.vocab + token].seen += 1u; }
  }
}
