// SPDX-License-Identifier: Apache-2.0
// From decoded pictures to the rows that the vision tower takes: antialiased bicubic resizing bit
// for bit as the Pillow library does it (columns first, rounded to 8 bits, then rows; fixed point
// with 22 fraction bits), normalisation, patches in the tower's window order.
// Qwen2.5-VL specification (docs/design/qwen2_5_vl.md), sections 6.2, 6.3, 6.5 and 7.3.
//
// Launch contract (CudaPictures checks it; the kernels do not)
//   both kernels: grid (ceil(most pixels / block), pictures), block any, shared none; a thread makes
//   one pixel; resize_columns before place_patches on the same cudaStream
//   taps    per output {first input, inputs, weight of each}, rows of 2 + longest ints
//   values  [3][256] f32: a channel's byte after normalisation
//   out     [patches, 3 FRAMES PATCH^2] of A; inside a patch channel, frame, y, x
// Numerics: integers up to the last step, hence the CPU's bytes exactly; f32 values are the table's
//   own, bf16 ones rounded once.
// Limit: memory, 3 bytes per pixel read, 6 f32 or bf16 per pair of pixels written.
#include "common/activation.cuh"

constexpr int FRACTION_BITS = 22, HALF = 1 << (FRACTION_BITS - 1);

// As CudaPictures writes it.
struct Picture {
  const unsigned char* pixels;  // [height][width][3]
  unsigned char* narrowed;      // [height][to_width][3]; the pixels themselves at equal widths
  const int* column_taps;       // [to_width][2 + ...]
  const int* row_taps;          // [to_height][2 + ...]
  long long first_patch;        // row of `out` where its clip begins
  int width, height, to_width, to_height;
  int column_stride, row_stride;  // ints per output of the taps
  int first_frame, end_frame;     // frames of the clip that show it
};
static_assert(sizeof(Picture) == 72, "CudaPictures writes 72 bytes each");

// Sizes of the tower, in pixels, patches, frames and merge groups.
struct PatchShape {
  int patch, merge, frames, window;
};

__device__ __forceinline__ int to_byte(int fixed) {
  return min(255, max(0, fixed >> FRACTION_BITS));
}

// The weighted sum of three channels over one output's taps; samples lie `step` bytes apart.
__device__ __forceinline__ int3 weigh(
    const unsigned char* __restrict__ samples, size_t step, const int* __restrict__ taps) {
  const unsigned char* at = samples + taps[0] * step;
  const int count = taps[1];
  int3 sum = {HALF, HALF, HALF};
  for (int i = 0; i < count; i++, at += step) {
    const int weight = taps[2 + i];
    sum.x += weight * at[0];
    sum.y += weight * at[1];
    sum.z += weight * at[2];
  }
  return {to_byte(sum.x), to_byte(sum.y), to_byte(sum.z)};
}

EW_KERNEL void resize_columns(const Picture* __restrict__ pictures) {
  const Picture& p = pictures[blockIdx.y];
  if (p.narrowed == p.pixels) return;
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= (unsigned)p.height * p.to_width) return;
  const unsigned y = i / p.to_width, x = i - y * p.to_width;
  const int3 rgb =
      weigh(p.pixels + (size_t)y * p.width * 3, 3, p.column_taps + (size_t)x * p.column_stride);
  unsigned char* to = p.narrowed + (size_t)i * 3;
  to[0] = (unsigned char)rgb.x;
  to[1] = (unsigned char)rgb.y;
  to[2] = (unsigned char)rgb.z;
}
EW_EXPORT(resize_columns)

// Place of merge group (gy, gx) among those of its frame pair in window order: windows row by row,
// inside a window groups row by row; the last windows of a row or column may be smaller.
__device__ __forceinline__ int window_place(int gy, int gx, int rows, int columns, int side) {
  const int top = gy - gy % side, left = gx - gx % side;
  const int height = min(side, rows - top), width = min(side, columns - left);
  return top * columns + height * left + (gy - top) * width + gx - left;
}

template <class A>
__device__ __forceinline__ void place_patches(
    const Picture* __restrict__ pictures, const float* __restrict__ values, A* __restrict__ out,
    PatchShape shape) {
  const Picture& p = pictures[blockIdx.y];
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= (unsigned)p.to_height * p.to_width) return;
  const int y = i / p.to_width, x = i - y * p.to_width;
  const size_t line = (size_t)p.to_width * 3;
  const int3 rgb = weigh(p.narrowed + (size_t)x * 3, line, p.row_taps + (size_t)y * p.row_stride);
  const A red = narrow<A>(values[rgb.x]), green = narrow<A>(values[256 + rgb.y]);
  const A blue = narrow<A>(values[512 + rgb.z]);

  const int area = shape.patch * shape.patch, channel = shape.frames * area;
  const int py = y / shape.patch, px = x / shape.patch;
  const int rows = p.to_height / shape.patch, columns = p.to_width / shape.patch;
  const int group = window_place(
      py / shape.merge, px / shape.merge, rows / shape.merge, columns / shape.merge, shape.window);
  const int place = (group * shape.merge + py % shape.merge) * shape.merge + px % shape.merge;
  const int inside = (y - py * shape.patch) * shape.patch + x - px * shape.patch;
  for (int n = p.first_frame; n < p.end_frame; n++) {
    const int pair = n / shape.frames, within = n - pair * shape.frames;
    const size_t row = p.first_patch + (size_t)pair * rows * columns + place;
    A* to = out + row * 3 * channel + within * area + inside;
    to[0] = red;
    to[channel] = green;
    to[2 * channel] = blue;
  }
}

EW_KERNEL void place_patches_bf16(
    const Picture* pictures, const float* values, bf16* out, PatchShape shape) {
  place_patches(pictures, values, out, shape);
}
EW_EXPORT(place_patches_bf16)

EW_KERNEL void place_patches_f32(
    const Picture* pictures, const float* values, float* out, PatchShape shape) {
  place_patches(pictures, values, out, shape);
}
EW_EXPORT(place_patches_f32)
