// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.FrameEncoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The records of a few streams with all that can happen to a camera, drawn from a seed. */
final class Scenario {
  private Scenario() {}

  static List<FrameRecord> draw(Random random, int streams, int recordsEach) {
    List<List<FrameRecord>> each = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      each.add(stream(new Camera("camera-" + i, i), random, recordsEach));
    }
    List<FrameRecord> all = new ArrayList<>();
    while (!each.isEmpty()) { // each stream in its order, the streams in any
      int which = random.nextInt(each.size());
      all.add(each.get(which).remove(0));
      if (each.get(which).isEmpty()) {
        each.remove(which);
      }
    }
    return all;
  }

  /** Any, in any state of the stream; now and then one that is refused, or sent again. */
  private static FrameRecord command(Camera camera, Random random) {
    String id = "command-" + random.nextInt(1000) % (random.nextInt(4) == 0 ? 3 : 1000);
    return switch (random.nextInt(7)) {
      case 0 -> camera.command(id, CommandKind.STOP);
      case 1, 2 -> camera.command(id, CommandKind.START, Map.of("top_k", "3"), "");
      case 3 -> camera.command(id, CommandKind.PROMPT, Map.of(), "Say " + random.nextInt(10));
      case 4 -> camera.command(id, CommandKind.RESET);
      case 5 -> camera.command(id, CommandKind.SET, Map.of("seed", "" + random.nextInt(10)), "");
      default ->
          camera.command(
              id,
              CommandKind.SET,
              Map.of(
                  List.of("fps", "overload", "chunk").get(random.nextInt(3)),
                  "" + random.nextInt(5)),
              "");
    };
  }

  private static List<FrameRecord> stream(Camera camera, Random random, int count) {
    List<FrameRecord> records = new ArrayList<>();
    records.add(camera.frame());
    while (records.size() < count) {
      int luck = random.nextInt(100);
      if (luck < 64) {
        records.add(camera.frame());
      } else if (luck < 70) {
        records.add(command(camera, random));
      } else if (luck < 75) {
        camera.lose(1 + random.nextInt(3));
      } else if (luck < 79) {
        camera.rest(1 + random.nextInt(6));
      } else if (luck < 80) {
        camera.rest(20); // longer than the visual window
      } else if (luck < 81) {
        camera.setClock(random.nextBoolean() ? 60 : -60);
      } else if (luck < 84) {
        records.add(camera.repeat());
      } else if (luck < 88) {
        records.addAll(camera.swapped());
      } else if (luck < 95) {
        byte[] cut = new byte[random.nextInt(Camera.SIDE * Camera.SIDE * 3)];
        records.add(camera.bad(cut, FrameEncoding.RGB24));
      } else if (luck < 97) {
        records.add(camera.bad(new byte[] {1, 2, 3}, FrameEncoding.JPEG));
      } else if (luck < 99) {
        records.add(camera.raw(new byte[] {(byte) 0xC3, 1, 2}));
      } else {
        records.add(camera.end());
      }
    }
    if (random.nextBoolean()) {
      records.add(camera.end());
    }
    return records;
  }
}
