// SPDX-License-Identifier: Apache-2.0
// rows.cu: cached rows between their slots and contiguous staging [rows][layers][2][W], for snapshots,
// swaps and loads. Bytes are copied as they are.
//
// Launch contract (RowTransfers checks it; the kernels do not)
//   grid    (rows, layers, 1)
//   block   (128, 1, 1)        any size
//   keys, values  [layers][slot_count][vectors] of 16 bytes; W * element size = 16 * vectors
//   slots   [rows], on the device
//   alias   staging overlaps neither plane; scatter: no slot twice
//   order   caller's cudaStream; no allocation, no host synchronisation
// Limit: memory, twice the rows' bytes; in use the transfer between host and device, which is slower.
#include "ew_prims.cuh"

EW_KERNEL void rows_gather(
    const uint4* __restrict__ keys, const uint4* __restrict__ values, long long slot_count,
    const int* __restrict__ slots, uint4* __restrict__ staging, int vectors) {
  const size_t layer = blockIdx.y, from = (layer * slot_count + slots[blockIdx.x]) * vectors;
  uint4* to = staging + ((size_t)blockIdx.x * gridDim.y + layer) * 2 * vectors;
  for (int i = threadIdx.x; i < 2 * vectors; i += blockDim.x) {
    to[i] = i < vectors ? keys[from + i] : values[from + i - vectors];
  }
}
EW_EXPORT(rows_gather)

EW_KERNEL void rows_scatter(
    uint4* __restrict__ keys, uint4* __restrict__ values, long long slot_count,
    const int* __restrict__ slots, const uint4* __restrict__ staging, int vectors) {
  const size_t layer = blockIdx.y, to = (layer * slot_count + slots[blockIdx.x]) * vectors;
  const uint4* from = staging + ((size_t)blockIdx.x * gridDim.y + layer) * 2 * vectors;
  for (int i = threadIdx.x; i < 2 * vectors; i += blockDim.x) {
    (i < vectors ? keys[to + i] : values[to + i - vectors]) = from[i];
  }
}
EW_EXPORT(rows_scatter)
