// SPDX-License-Identifier: Apache-2.0
// One token of each row of logits: repetition penalty (Keskar et al. 2019), temperature, top-k (Fan et
// al. 2018), top-p (Holtzman et al. 2020), then the best token or a random one, in this order.
//
// Whatever is added up over the vocabulary is an integer: a token's weight e^(s - max) counts in
// multiples of 2^-40 (WEIGHT_ONE), so that sums are the same in any order and nothing rare is rounded
// away that could be drawn. Selection is by radix over the scores' bits, a byte at a time.
//
// Launch contract (CudaSampling checks it; the kernels do not)
//   sampling_scores   grid (slices of 4096 ids, R), block 256; shared none dynamic
//   sampling_choose   grid (R), block 1024; shared none dynamic
//   width             logits per row, at most 2^19; limit the last drawable id + 1
//   order             caller's cudaStream, scores before choose; no allocation, no host
//                     synchronisation. Rows from step->outputs on are left alone.
// Numerics: scores in f32 as SamplingRules has them, bit for bit (IEEE division). A row's token depends
// on that row, its draw and its context's seen ids alone.
// Limit: latency. A row of 152,064 logits is read once by 38 blocks, then up to 12 times by one block,
// out of L2.
#include "common/step.cuh"

constexpr int SLICE = 4096;
constexpr int SCORE_BLOCK = 256;
constexpr int SCORE_WARPS = SCORE_BLOCK / 32;
constexpr int BLOCK = 1024;
constexpr int WARPS = BLOCK / 32;
constexpr int TILE = 1024;       // ids of one sum when a place in the row is looked for
constexpr int MOST_TILES = 512;
constexpr int BINS = 256;        // of a byte
constexpr int COPIES = 8;        // of the bins, so that fewer warps meet in one
constexpr int MOST_MAXIMA = 1024;

typedef unsigned long long u64;
constexpr float WEIGHT_ONE = 0x1p40f;

// How one token is chosen; CudaSampling writes it.
struct StepDraw {
  float penalty;      // 1: none
  float temperature;  // 0: the best
  int top_k;          // 0: off
  float top_p;        // 1: off
  double uniform;     // [0, 1)
  int reserved[2];
};

// What a slice of a row comes to.
struct SlicePart {
  float best[SCORE_WARPS];  // largest score that each warp saw
  int id;                   // lowest id of the largest of all
  int bad;                  // whether a logit is not finite
};

// The better of two scores, on a tie the lower id.
__device__ __forceinline__ void keep_better(float& score, int& id, float other, int other_id) {
  if (other > score || (other == score && other_id < id)) {
    score = other;
    id = other_id;
  }
}

__device__ __forceinline__ void warp_best(float& score, int& id) {
#pragma unroll
  for (int o = 16; o; o >>= 1) {
    const float s = __shfl_xor_sync(0xffffffffu, score, o);
    const int i = __shfl_xor_sync(0xffffffffu, id, o);
    keep_better(score, id, s, i);
  }
}

// logits [R, width] become scores in place: penalised, divided by the temperature, minus infinity
// where an id may not be drawn. Counts the id that a decode row feeds as seen first.
//   ids null for a prefill, whose ids were counted before
EW_KERNEL void sampling_scores(
    float* logits, const uint32_t* __restrict__ drawable, int width, int limit,
    const StepHeader* step, const int* ids, const int* span_of, const int* output_rows,
    const StepSpan* spans, const StepDraw* draws, SlicePart* parts) {
  __shared__ float scores[SCORE_WARPS];
  __shared__ int places[SCORE_WARPS];
  __shared__ int flags[SCORE_WARPS];
  const int output = blockIdx.y;
  if (output >= step->outputs) return;
  const int row = output_rows[output], fed = ids == nullptr ? -1 : ids[row];
  uint32_t* seen = reinterpret_cast<uint32_t*>(spans[span_of[row]].seen);
  const StepDraw draw = draws[output];
  float* x = logits + (size_t)output * width;

  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int end = min(limit, (int)(blockIdx.x + 1) * SLICE);
  float best = -INFINITY;
  int place = 0x7fffffff, bad = 0;
  for (int base = blockIdx.x * SLICE + warp * 32; base < end; base += SCORE_BLOCK) {
    // One warp, one word: nobody else reads or writes it.
    uint32_t word = 0;
    if (lane == 0 && seen != nullptr) {
      word = seen[base >> 5];
      if (fed >> 5 == base >> 5) {
        word |= 1u << (fed & 31);
        seen[base >> 5] = word;
      }
    }
    word = __shfl_sync(0xffffffffu, word, 0);
    const int id = base + lane;
    if (id >= end) continue;
    float score = -INFINITY;
    if (drawable[base >> 5] >> lane & 1) {
      score = x[id];
      if (!(fabsf(score) <= 3.402823466e38f)) bad = 1;
      if (word >> lane & 1) score = score < 0 ? score * draw.penalty : score / draw.penalty;
      if (draw.temperature > 0) score /= draw.temperature;
    }
    x[id] = score;
    keep_better(best, place, score, id);
  }
  warp_best(best, place);
  const int any_bad = __any_sync(0xffffffffu, bad);
  if (lane == 0) {
    scores[warp] = best;
    places[warp] = place;
    flags[warp] = any_bad;
  }
  __syncthreads();
  if (threadIdx.x > 0) return;
  SlicePart* part = parts + (size_t)output * gridDim.x + blockIdx.x;
  for (int w = 0; w < SCORE_WARPS; w++) {
    part->best[w] = scores[w];
    keep_better(best, place, scores[w], places[w]);
    bad |= flags[w];
  }
  part->id = place;
  part->bad = bad;
}
EW_EXPORT(sampling_scores)

// An unsigned number that orders as the float does; both zeros are one.
__device__ __forceinline__ uint32_t sortable(float x) {
  const uint32_t bits = __float_as_uint(x + 0.f);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// What is left: keys above `key`, and of those equal to it the ids from `id` on.
struct Cut {
  uint32_t key;
  int id;
  __device__ __forceinline__ bool keeps(uint32_t k, int i) const {
    return k > key || (k == key && i >= id);
  }
};

__device__ __forceinline__ u64 warp_total(u64 v) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  return v;
}

// Sums of the lanes below and of this one.
__device__ __forceinline__ u64 warp_prefix(u64 v) {
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    const u64 below = __shfl_up_sync(0xffffffffu, v, o);
    if (lane >= o) v += below;
  }
  return v;
}

struct Place {
  int index;
  u64 before;  // sum of what stands before it
};

// The first of sums[0, n) with which the running total is `beyond`; called by one whole warp, n a
// multiple of 32. There is one: beyond(all) holds.
template <class Beyond>
__device__ Place first_beyond(const u64* sums, int n, u64 before, Beyond beyond) {
  const int each = n / 32, lane = threadIdx.x & 31;
  u64 own = 0;
  for (int i = 0; i < each; i++) own += sums[lane * each + i];
  u64 total = before + warp_prefix(own) - own;
  int found = -1;
  u64 found_before = 0;
  if (beyond(total + own)) {
    for (int i = 0; i < each && found < 0; i++) {
      const u64 v = sums[lane * each + i];
      if (beyond(total + v)) {
        found = lane * each + i;
        found_before = total;
      }
      total += v;
    }
  }
  const int first = __ffs((int)__ballot_sync(0xffffffffu, found >= 0)) - 1;
  return {__shfl_sync(0xffffffffu, found, first), __shfl_sync(0xffffffffu, found_before, first)};
}

// One block's view of a row.
struct Row {
  const float* scores;
  int limit;
  float best;
  u64* sums;     // shared [max(COPIES * BINS, MOST_TILES)]
  Place* place;  // shared

  __device__ __forceinline__ u64 weight(float score) const {
    // Not by subtraction where it would be infinite minus infinite.
    return (u64)(score == best ? WEIGHT_ONE : expf(score - best) * WEIGHT_ONE);
  }

  // Sum of measure(key, score, id) over the row.
  template <class Measure> __device__ u64 total(Measure measure) const {
    u64 own = 0;
    for (int id = threadIdx.x; id < limit; id += BLOCK) {
      own += measure(sortable(scores[id]), scores[id], id);
    }
    own = warp_total(own);
    if ((threadIdx.x & 31) == 0) sums[threadIdx.x >> 5] = own;
    __syncthreads();
    const u64 all = warp_total(sums[threadIdx.x & 31]);
    __syncthreads();
    return all;
  }

  // The smallest key such that the measures of all keys up to it are together `beyond`, and the sum
  // of those below it.
  template <class Measure, class Beyond>
  __device__ Place select(Measure measure, Beyond beyond) const {
    uint32_t prefix = 0, mask = 0;
    u64 before = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
      for (int i = threadIdx.x; i < COPIES * BINS; i += BLOCK) sums[i] = 0;
      __syncthreads();
      u64* mine = sums + (threadIdx.x >> 5) % COPIES * BINS;
      for (int id = threadIdx.x; id < limit; id += BLOCK) {
        const uint32_t key = sortable(scores[id]);
        if ((key & mask) == prefix) {
          const u64 m = measure(key, scores[id], id);
          if (m) atomicAdd(mine + (key >> shift & (BINS - 1)), m);
        }
      }
      __syncthreads();
      if (threadIdx.x < BINS) {
        u64 sum = 0;
        for (int c = 0; c < COPIES; c++) sum += sums[c * BINS + threadIdx.x];
        sums[threadIdx.x] = sum;  // a column is read and written by one thread
      }
      __syncthreads();
      if (threadIdx.x < 32) {
        const Place found = first_beyond(sums, BINS, before, beyond);
        if (threadIdx.x == 0) *place = found;
      }
      __syncthreads();
      prefix |= (uint32_t)place->index << shift;
      mask |= (uint32_t)(BINS - 1) << shift;
      before = place->before;
      __syncthreads();
    }
    return {(int)prefix, before};
  }

  // The first id with which the sum of measures in the order of the ids is more than `target`.
  template <class Measure> __device__ int locate(Measure measure, u64 target) const {
    const int lane = threadIdx.x & 31;
    for (int tile = threadIdx.x >> 5; tile < MOST_TILES; tile += WARPS) {
      u64 own = 0;
      const int end = min(limit, (tile + 1) * TILE);
      for (int id = tile * TILE + lane; id < end; id += 32) {
        own += measure(sortable(scores[id]), scores[id], id);
      }
      if (tile * TILE < limit) own = warp_total(own);
      if (lane == 0) sums[tile] = own;
    }
    __syncthreads();
    if (threadIdx.x < 32) {
      const auto beyond = [target](u64 sum) { return sum > target; };
      const Place tile = first_beyond(sums, MOST_TILES, 0, beyond);
      u64 before = tile.before;
      int found = -1;
      for (int base = tile.index * TILE; found < 0 && base < limit; base += 32) {
        const int id = base + lane;
        const u64 own = id < limit ? measure(sortable(scores[id]), scores[id], id) : 0;
        const u64 sum = before + warp_prefix(own);
        const unsigned passed = __ballot_sync(0xffffffffu, sum > target);
        if (passed) found = base + __ffs((int)passed) - 1;
        before = __shfl_sync(0xffffffffu, sum, 31);
      }
      if (lane == 0) place->index = found;
    }
    __syncthreads();
    const int found = place->index;
    __syncthreads();
    return found;
  }
};

// A score that at least k of the row reach: the k-th largest of the warps' best; minus infinity when
// there are not as many warps.
__device__ float surely_kept(const SlicePart* parts, int slices, int k, float* maxima, float* kth) {
  const int n = slices * SCORE_WARPS;
  if (k > n || n > MOST_MAXIMA) return -INFINITY;
  for (int i = threadIdx.x; i < n; i += BLOCK) {
    maxima[i] = parts[i / SCORE_WARPS].best[i % SCORE_WARPS];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += BLOCK) {
    int rank = 0;
    for (int j = 0; j < n; j++) {
      rank += maxima[j] > maxima[i] || (maxima[j] == maxima[i] && j < i);
    }
    if (rank == k - 1) *kth = maxima[i];
  }
  __syncthreads();
  return *kth;
}

// Chooses: tokens [R], -1 where a logit of the row is not finite.
//   probabilities null, or [R, width] for tests: of what a random choice is made from
//   counts [8] are copied to `arrived`, which goes to the host with the tokens
EW_KERNEL void sampling_choose(
    const float* scores, int width, int limit, const StepHeader* step, const StepDraw* draws,
    const SlicePart* parts, int slices, int* tokens, float* probabilities,
    const u64* __restrict__ counts, u64* __restrict__ arrived) {
  __shared__ u64 sums[COPIES * BINS];
  __shared__ float maxima[MOST_MAXIMA];
  __shared__ float kth;
  __shared__ Place place;
  const int output = blockIdx.x;
  if (output >= step->outputs) return;
  if (output == 0 && threadIdx.x < 8) arrived[threadIdx.x] = counts[threadIdx.x];
  const StepDraw draw = draws[output];
  parts += (size_t)output * slices;

  float best = -INFINITY;
  int token = 0x7fffffff, bad = 0;
  for (int i = threadIdx.x & 31; i < slices; i += 32) {  // every warp for itself
    float slice = -INFINITY;
    for (int w = 0; w < SCORE_WARPS; w++) slice = fmaxf(slice, parts[i].best[w]);
    keep_better(best, token, slice, parts[i].id);
    bad |= parts[i].bad;
  }
  warp_best(best, token);
  if (__any_sync(0xffffffffu, bad) || best == -INFINITY) token = -1;
  if (token < 0 || draw.temperature == 0) {
    if (threadIdx.x == 0) tokens[output] = token;
    return;
  }

  const Row row{scores + (size_t)output * width, limit, best, sums, &place};
  Cut cut{sortable(-INFINITY) + 1, 0};
  if (draw.top_k > 0) {
    const u64 count = row.total([&](uint32_t key, float, int id) -> u64 { return cut.keeps(key, id); });
    if ((u64)draw.top_k < count) {
      // Those below `sure` are dropped whatever they are: they need no bins.
      const uint32_t sure = sortable(surely_kept(parts, slices, draw.top_k, maxima, &kth));
      const u64 kept = row.total([&](uint32_t key, float, int id) -> u64 {
        return key >= sure && cut.keeps(key, id);
      });
      const u64 dropped = kept - draw.top_k;
      const Place last = row.select(
          [&](uint32_t key, float, int id) -> u64 { return key >= sure && cut.keeps(key, id); },
          [dropped](u64 below) { return below > dropped; });
      cut.key = (uint32_t)last.index;  // scores equal to the k-th stay
    }
  }

  const auto weight = [&](uint32_t key, float score, int id) -> u64 {
    return cut.keeps(key, id) ? row.weight(score) : 0;
  };
  u64 all = row.total(weight);
  if (draw.top_p < 1) {
    // The longest run of worst tokens with at most 1 - p of the probability goes, never all.
    const float limit_p = (float)(1.0 - (double)draw.top_p);
    const auto beyond = [all, limit_p](u64 sum) {
      return (float)((double)sum / (double)all) > limit_p || sum == all;
    };
    const Place worst = row.select(weight, beyond);
    const uint32_t key = (uint32_t)worst.index;
    const u64 own = row.weight(__uint_as_float(key >> 31 ? key & 0x7fffffffu : ~key));
    u64 equals = 0;  // of those equal to it, the first in the order of ids go
    while (!beyond(worst.before + (equals + 1) * own)) equals++;
    const Cut before = cut;
    int from = before.key == key ? before.id : 0;
    if (equals > 0) {
      from = row.locate(
          [&](uint32_t k, float, int id) -> u64 { return k == key && before.keeps(k, id); }, equals);
    }
    cut = {key, from};
    all = row.total(weight);
  }

  if (probabilities != nullptr) {
    float* out = probabilities + (size_t)output * width;
    for (int id = threadIdx.x; id < width; id += BLOCK) {
      const float s = id < limit ? row.scores[id] : -INFINITY;
      out[id] = (float)((double)weight(sortable(s), s, id) / (double)all);
    }
  }
  u64 target = (u64)(draw.uniform * (double)all);
  if (target >= all) target = all - 1;  // so near to one that the product was rounded up to all
  token = row.locate(weight, target);
  if (threadIdx.x == 0) tokens[output] = token;
}
EW_EXPORT(sampling_choose)
