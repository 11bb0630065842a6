// SPDX-License-Identifier: Apache-2.0
// Tables of one step on the device. StepTables writes them, one copy brings them over; kernels of a
// captured graph find all that changes from step to step here, at addresses that do not change.
#pragma once
#include "ew_prims.cuh"

// Rows of a block of the working copy; a context's row r lies in its block r / 64.
constexpr int WORK_BLOCK_ROWS = 64;

// Rows of one piece of a decode row's attention; StepTables.SPLIT_ROWS. A row's context is cut by
// its own length alone, so that its sums do not depend on the batch.
constexpr int SPLIT_ROWS = 256;

struct StepHeader {
  int rows;     // rows of the batch that exist; rows from here up to the bucket's size do not
  int outputs;  // rows whose logits are wanted
  int spans;    // contexts
  int items;    // entries of the list of work items
  int loads;    // rows to be rotated into the working copy before the layers run
  int reserved[3];
};

// One context's part of the batch: its last `count` rows are rows [first, first + count).
struct StepSpan {
  int first;
  int count;
  int rows;       // rows of the context, the new ones included
  int blocks;     // where its work blocks begin in the step's list of blocks
  int first_item; // its first work item, the others follow
  int sparse;     // 1: sparse_attention.cu attends for it, and it has no work items
  uint64_t seen;  // bit set of ids that are penalised, 0: none
};

// A unit of attention: `part` is a piece of SPLIT_ROWS rows (decode) or a tile of queries (prefill).
struct StepItem {
  int span;
  int part;
};

// Row of the working copy that holds row `r` of a context.
__device__ __forceinline__ int work_row(const int* __restrict__ blocks, int r) {
  return blocks[r / WORK_BLOCK_ROWS] * WORK_BLOCK_ROWS + r % WORK_BLOCK_ROWS;
}
