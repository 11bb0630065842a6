// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.camera.FrameQueue.Stamped;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import org.junit.jupiter.api.Test;

class FrameQueueTest {
  private static Stamped frame(long sequence) {
    return new Stamped(
        sequence, sequence, new EncodedFrame(Encoding.JPEG, 1, 1, new byte[] {(byte) sequence}));
  }

  @Test
  void dropsTheOldestWhenItIsFullAndSaysSo() throws InterruptedException {
    FrameQueue queue = new FrameQueue(3);
    for (int i = 0; i < 10; i++) {
      assertThat(queue.add(frame(i))).isEqualTo(i < 3 ? 0 : 1);
    }
    for (int i = 7; i < 10; i++) {
      assertThat(queue.take().orElseThrow().sequence()).isEqualTo(i);
    }
  }

  @Test
  void givesWhatIsLeftWhenItIsClosedAndThenNothing() throws InterruptedException {
    FrameQueue queue = new FrameQueue(3);
    queue.add(frame(1));
    queue.close();
    assertThat(queue.add(frame(2))).isEqualTo(1);
    assertThat(queue.take()).isPresent();
    assertThat(queue.take()).isEmpty();
  }
}
