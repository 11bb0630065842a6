// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.cli.ExitCodes;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command line tells a running job what to do and prints its answer. */
class CommandITCase {
  private static final String STREAM = "road";

  @TempDir private Path dir;

  private record Ran(int exit, String out, String err) {}

  @Test
  @Timeout(180)
  void commandsAreObeyedAnsweredAndRecorded() throws Exception {
    try (House house = new House(dir);
        RoadFrames road = new RoadFrames(STREAM, 7, Encoding.JPEG);
        LocalJob job = house.start(house.config(), Optional.empty())) {
      assertThat(command(house, "stop"))
          .returns(ExitCodes.FAILURE, Ran::exit)
          .extracting(Ran::out)
          .asString()
          .contains("refused: there is no such stream");
      seconds(house, road, 2);
      chunks(house, 2);
      assertThat(command(house, "--id", "halt", "stop"))
          .isEqualTo(
              new Ran(0, "road before chunk 2: stopped; its chunks are skipped until START", ""));
      seconds(house, road, 1);
      assertThat(command(house, "set", "chunk=3s").exit).isEqualTo(ExitCodes.FAILURE);
      chunks(house, 3);
      assertThat(command(house, "--id", "go", "start", "temperature=0").out)
          .isEqualTo("road before chunk 3: started again: temperature=0");
      assertThat(command(house, "--id", "ask", "prompt", "Count", "the", "cars.").exit).isZero();
      assertThat(command(house, "--id", "rate", "set", "fps=1", "overload=live").out)
          .isEqualTo("road before chunk 3: set: fps=1, overload=live");
      assertThat(command(house, "--id", "halt", "--timeout", "2s", "stop"))
          .as("the same ID again: not obeyed, and the first answer is found")
          .isEqualTo(
              new Ran(
                  ExitCodes.OK,
                  "road before chunk 2: stopped; its chunks are skipped until START (the answer of"
                      + " before: an ID is obeyed once)",
                  ""));
      house.sendTo(TopicNames.COMMANDS, 0, null, "no command".getBytes(StandardCharsets.UTF_8));
      seconds(house, road, 1);
      house.send(0, road.end());

      List<TextEvent> own =
          own(house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1));
      assertThat(own).extracting(TextEvent::getChunk).containsExactly(0L, 1L, 2L, 3L);
      assertThat(own.get(2).getKind()).isEqualTo(TextKind.GAP);
      assertThat(own.get(2).getAppliedCommands()).containsExactly("halt");
      assertThat(own.get(3).getKind()).isIn(TextKind.COMMENT, TextKind.SILENCE);
      assertThat(own.get(3).getAppliedCommands()).containsExactly("go", "ask", "rate");
      assertThat(own.get(3).getFrames().getUsed()).isEqualTo(1);
      assertThat(own.get(3).getFrames().getMissing()).isZero();
      assertThat(own.get(3).getPromptDigest()).isNotEqualTo(own.get(0).getPromptDigest());
      assertThat(audit(house)).returns(ExitCodes.OK, Ran::exit);
      assertThat(house.deadLetters())
          .extracting(DeadLetter::getTopic, DeadLetter::getReason)
          .containsExactly(tuple("commands", "UNDECODABLE"));
    }
  }

  private static void seconds(House house, RoadFrames road, int count) throws Exception {
    for (int i = 0; i < 2 * count; i++) {
      house.send(0, road.next().build());
    }
  }

  /** Waits until so many chunks have their event. */
  private static void chunks(House house, int count) {
    house.committedUntil(texts -> own(texts).size() >= count);
  }

  private static List<TextEvent> own(List<ReceivedText> texts) {
    return texts.stream()
        .map(ReceivedText::event)
        .filter(event -> event.getSubject().isEmpty())
        .toList();
  }

  private static Ran command(House house, String... arguments) {
    List<String> all =
        new ArrayList<>(List.of("command", "--brokers", house.address(), "--stream", STREAM));
    all.addAll(List.of(arguments));
    return run(all);
  }

  private static Ran audit(House house) {
    return run(List.of("audit", "--brokers", house.address(), "--frames"));
  }

  private static Ran run(List<String> arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit =
        Everwatch.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(arguments.toArray(String[]::new));
    return new Ran(exit, out.toString().strip(), err.toString().strip());
  }
}
