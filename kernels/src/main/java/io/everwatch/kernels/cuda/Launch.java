// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/** One launch as messages name it; overwritten by later ones so that launching makes no garbage. */
final class Launch {
  private String kernel = "";
  private int gridX;
  private int gridY;
  private int gridZ;
  private int block;
  private int sharedBytes;
  private final Args args = new Args();

  void set(String name, int x, int y, int z, int threads, int shared, Args arguments) {
    kernel = name;
    gridX = x;
    gridY = y;
    gridZ = z;
    block = threads;
    sharedBytes = shared;
    args.copyFrom(arguments);
  }

  void setGraph(String name) {
    kernel = name;
    block = 0;
  }

  @Override
  public String toString() {
    if (block == 0) {
      return "graph " + kernel;
    }
    return "%s grid (%d, %d, %d) block %d shared %,d bytes arguments %s"
        .formatted(kernel, gridX, gridY, gridZ, block, sharedBytes, args);
  }
}
