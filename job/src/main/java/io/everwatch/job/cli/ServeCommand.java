// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.wall.LiveWall;
import io.everwatch.job.wall.WallLimits;
import io.everwatch.job.wall.WallOptions;
import io.everwatch.job.wall.http.WallSecurity;
import io.everwatch.job.wall.http.WallServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code everwatch serve}: the live wall of a running job. */
@Command(
    name = "serve",
    description = "Serve the live wall of a running job: its streams and their text, in a browser.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  /** Where the wall is unless somebody says otherwise. */
  static final int PORT = 8780;

  private static final Duration LONG = Duration.ofDays(1);
  private static final int MOST_CLIENTS = 1_000;
  private static final int SHORTEST_TOKEN = 16;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "localhost:" + PORT,
      description = "Where to serve it (default: ${DEFAULT-VALUE}).")
  private String listen = "";

  @Option(
      names = "--history",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "6h",
      description = "How much past text to read and to keep (default: ${DEFAULT-VALUE}).")
  private Duration history = Duration.ofHours(6);

  @Option(
      names = "--flink",
      paramLabel = "URL",
      description = "Flink's REST interface, for the job's state and its checkpoints.")
  private @Nullable URI flink;

  @Option(
      names = "--clips",
      paramLabel = "DIR",
      description = "Folder of recorded videos (mp4, webm) with captions beside them (vtt).")
  private @Nullable Path clips;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "File with the token that everybody must know; any other address needs one.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--tls-certificate",
      paramLabel = "PEM",
      description = "Certificate chain for HTTPS, with --tls-key.")
  private @Nullable Path certificate;

  @Option(names = "--tls-key", paramLabel = "PEM", description = "Its private key, PKCS #8.")
  private @Nullable Path key;

  @Option(
      names = "--behind-proxy",
      description = "A proxy in front of this one ends TLS; instead of a certificate.")
  private boolean behindProxy;

  @Option(
      names = "--host",
      paramLabel = "NAME",
      split = ",",
      description =
          "Names by which browsers ask for it; others are refused (default: this machine's own, or"
              + " any with a token).")
  private List<String> hosts = List.of();

  @Option(
      names = "--max-clients",
      paramLabel = "N",
      defaultValue = "100",
      description = "Pages that watch at the same time (default: ${DEFAULT-VALUE}).")
  private int maxClients;

  @Option(names = "--no-frames", description = "Read no pictures, only text.")
  private boolean noFrames;

  @Override
  public Integer call() throws Exception {
    InetSocketAddress address = address();
    WallSecurity security = security(address);
    if (maxClients < 1 || maxClients > MOST_CLIENTS) {
      throw usage("--max-clients %d; expected 1 to %d".formatted(maxClients, MOST_CLIENTS));
    }
    if (flink != null && !Set.of("http", "https").contains(String.valueOf(flink.getScheme()))) {
      throw usage(
          "--flink %s; expected an address such as http://jobmanager:8081".formatted(flink));
    }
    brokers.requireReachable();
    WallOptions options =
        new WallOptions(
            brokers.brokers(),
            brokers.properties(),
            topics.names(),
            WallLimits.of(history, Runtime.getRuntime().maxMemory()),
            !noFrames,
            Optional.ofNullable(flink),
            /* demo= */ false,
            maxClients,
            Version.number());
    LiveWall wall = LiveWall.start(options);
    PrintWriter out = spec.commandLine().getOut();
    try (StopSignal stop = new StopSignal();
        WallServer server = WallServer.start(wall, address, security, Optional.ofNullable(clips))) {
      out.println("wall at " + server.address());
      out.flush();
      while (!stop.await(LONG)) {
        // Until somebody wants it to end.
      }
    } catch (BindException e) {
      throw new CliException(
          "the wall cannot listen on %s (%s); another process may hold the port: end it, or choose another with --listen"
              .formatted(listen, e.getMessage()),
          e);
    } finally {
      wall.close();
    }
    return ExitCodes.OK;
  }

  private InetSocketAddress address() {
    int colon = listen.lastIndexOf(':');
    String host = colon < 0 ? "" : listen.substring(0, colon).replaceAll("^\\[|]$", "");
    String port = listen.substring(colon + 1);
    if (host.isEmpty() || !port.matches("\\d{1,5}") || Integer.parseInt(port) > 65_535) {
      throw usage("--listen '%s'; expected HOST:PORT, such as localhost:8780".formatted(listen));
    }
    InetSocketAddress address = new InetSocketAddress(host, Integer.parseInt(port));
    if (address.isUnresolved()) {
      throw usage("--listen %s: there is no host %s".formatted(listen, host));
    }
    return address;
  }

  /** For this machine alone by default; for others with a token, and nothing in the clear. */
  private WallSecurity security(InetSocketAddress address) throws IOException {
    if ((certificate == null) != (key == null)) {
      throw usage("--tls-certificate and --tls-key belong together; give both");
    }
    boolean local = address.getAddress().isLoopbackAddress();
    if (!local && (tokenFile == null || (certificate == null && !behindProxy))) {
      throw usage(
          "--listen %s lets other machines see the cameras; give --token-file FILE, and --tls-certificate and --tls-key (or --behind-proxy when a proxy ends TLS), or listen on localhost"
              .formatted(listen));
    }
    return new WallSecurity(
        token(),
        Optional.ofNullable(certificate),
        Optional.ofNullable(key),
        hosts.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toSet()),
        behindProxy);
  }

  private Optional<String> token() throws IOException {
    if (tokenFile == null) {
      return Optional.empty();
    }
    String token = Files.readString(tokenFile).strip();
    if (token.length() < SHORTEST_TOKEN) {
      throw new CliException(
          "the token in %s has %d characters; expected at least %d that nobody can guess, such as those of 'openssl rand -hex 24'"
              .formatted(tokenFile, token.length(), SHORTEST_TOKEN));
    }
    return Optional.of(token);
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
