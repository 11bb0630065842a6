// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * One combined KRaft node (broker and controller) in this JVM, on the production classes: for the
 * demo, the tests and {@code deploy}. What is written to its directory is there again when the
 * directory is opened again; only the port may differ, unless it is asked for.
 *
 * <p>A fatal fault of a running broker ends the JVM: Kafka's own handler does, and without its
 * broker the demo has nothing to show. Listens on the loopback interface only.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final int ATTEMPTS = 5;

  private final KafkaRaftServer server;
  private final String address;

  private EmbeddedBroker(KafkaRaftServer server, String address) {
    this.server = server;
    this.address = address;
  }

  /** Starts on a free port. */
  public static EmbeddedBroker start(Path dir) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return start(dir, freePort());
      } catch (BindException e) {
        // Somebody took one of the ports between our look and Kafka's bind.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /**
   * Starts on a given port, so that clients of an earlier run find it again.
   *
   * @param dir created and formatted when empty
   * @throws BindException when the port is taken
   */
  public static EmbeddedBroker start(Path dir, int port) throws IOException {
    return start(dir, port, freePort());
  }

  static EmbeddedBroker start(Path dir, int port, int controllerPort) throws IOException {
    return start(dir, port, controllerPort, Map.of());
  }

  /** With settings of Kafka instead of, or besides, our own. */
  static EmbeddedBroker start(Path dir, Map<String, String> settings) throws IOException {
    return start(dir, freePort(), freePort(), settings);
  }

  private static EmbeddedBroker start(
      Path dir, int port, int controllerPort, Map<String, String> settings) throws IOException {
    Files.createDirectories(dir);
    format(dir);
    Properties options = options(dir, port, controllerPort);
    options.putAll(settings);
    KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(options), Time.SYSTEM);
    startUp(server, port);
    return new EmbeddedBroker(server, "localhost:" + port);
  }

  /** {@code host:port} for {@code bootstrap.servers}. */
  public String address() {
    return address;
  }

  /** Properties of a client of this broker. */
  public Map<String, Object> clientProperties() {
    return Map.of("bootstrap.servers", address);
  }

  @Override
  public void close() {
    server.shutdown();
    server.awaitShutdown();
  }

  /**
   * Kafka halts the JVM when a listener cannot be bound; during the start, and only then, that is
   * turned into an exception. One start at a time: the procedure is one per process.
   */
  private static synchronized void startUp(KafkaRaftServer server, int port) throws BindException {
    Exit.setHaltProcedure(
        (status, message) -> {
          throw new HaltedException();
        });
    try {
      server.startup();
    } catch (RuntimeException e) {
      server.shutdown();
      if (causes(e).anyMatch(cause -> cause instanceof BindException)
          || e instanceof HaltedException) {
        throw taken(port, e);
      }
      throw e;
    } finally {
      Exit.resetHaltProcedure();
    }
  }

  private static BindException taken(int port, Exception cause) {
    BindException failure =
        new BindException(
            "the broker cannot listen on localhost:"
                + port
                + "; another process holds that port; end it, or choose another");
    failure.initCause(cause);
    return failure;
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, at -> at != null, Throwable::getCause);
  }

  private static void format(Path dir) throws IOException {
    if (Files.exists(dir.resolve("meta.properties"))) {
      return;
    }
    try (PrintStream silent =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      new Formatter()
          .setPrintStream(silent)
          .setNodeId(1)
          .setClusterId(Uuid.randomUuid().toString())
          .setDirectories(List.of(dir.toString()))
          .setControllerListenerName("CONTROLLER")
          .setMetadataLogDirectory(dir.toString())
          .run();
    } catch (Exception e) {
      throw new IOException("the broker's directory " + dir + " could not be formatted", e);
    }
  }

  private static Properties options(Path dir, int port, int controllerPort) {
    Properties options = new Properties();
    options.putAll(
        Map.of(
            "process.roles", "broker,controller",
            "node.id", "1",
            "controller.quorum.voters", "1@localhost:" + controllerPort,
            "listeners",
                "PLAINTEXT://localhost:" + port + ",CONTROLLER://localhost:" + controllerPort,
            "advertised.listeners", "PLAINTEXT://localhost:" + port,
            "controller.listener.names", "CONTROLLER",
            "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs", dir.toString(),
            "auto.create.topics.enable", "false"));
    // One broker: what is replicated elsewhere has one copy here.
    options.putAll(
        Map.of(
            "offsets.topic.replication.factor", "1",
            "offsets.topic.num.partitions", "4",
            "transaction.state.log.replication.factor", "1",
            "transaction.state.log.min.isr", "1",
            "transaction.state.log.num.partitions", "4",
            "share.coordinator.state.topic.replication.factor", "1",
            "share.coordinator.state.topic.min.isr", "1",
            "group.initial.rebalance.delay.ms", "0",
            // The default of 128 MiB does not fit a small heap.
            "log.cleaner.dedupe.buffer.size", "8388608"));
    return options;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Stands for Kafka's halt during a start. */
  private static final class HaltedException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }
}
