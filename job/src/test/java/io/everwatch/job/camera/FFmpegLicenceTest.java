// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_configuration;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_license;
import static org.bytedeco.ffmpeg.global.avformat.avformat_license;
import static org.bytedeco.ffmpeg.global.avutil.avutil_license;
import static org.bytedeco.ffmpeg.global.swscale.swscale_license;

import org.junit.jupiter.api.Test;

class FFmpegLicenceTest {
  @Test
  void librariesOnTheClassPathAreTheLgplBuild() {
    assertThat(avutil_license().getString()).startsWith("LGPL");
    assertThat(avcodec_license().getString()).startsWith("LGPL");
    assertThat(avformat_license().getString()).startsWith("LGPL");
    assertThat(swscale_license().getString()).startsWith("LGPL");
    assertThat(avcodec_configuration().getString())
        .doesNotContain("--enable-gpl", "--enable-nonfree");
  }
}
