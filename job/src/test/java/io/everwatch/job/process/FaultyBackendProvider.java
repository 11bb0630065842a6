// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.locks.LockSupport;

/**
 * The CPU with a fault at its N-th step, as the environment's {@value #FAULT} says: {@code lost@N},
 * {@code hung@N} or {@code heap@N}; without it, none. Found as {@code faulty} by a process on whose
 * class path a test has put it and its {@code META-INF/services}.
 */
public final class FaultyBackendProvider implements BackendProvider {
  static final String NAME = "faulty";
  static final String FAULT = "EVERWATCH_TEST_FAULT";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability availability() {
    return new Availability(true, "the CPU, with faults of a test", "");
  }

  @Override
  public Backend open(BackendOptions options) {
    Backend sound = Backends.open("cpu", options);
    String[] fault = System.getenv().getOrDefault(FAULT, "none@0").split("@", 2);
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            new Faulty(sound, fault[0], Integer.parseInt(fault[1])));
  }

  /** Each step of the decoder begins with one call of {@code embed}. */
  private static final class Faulty implements InvocationHandler {
    private final Backend sound;
    private final String fault;
    private final int at;
    private int steps;

    Faulty(Backend sound, String fault, int at) {
      this.sound = sound;
      this.fault = fault;
      this.at = at;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
      if (method.getName().equals("embed") && ++steps == at) {
        fail();
      }
      try {
        return method.invoke(sound, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }

    private void fail() {
      switch (fault) {
        case "lost" -> throw new DeviceException(Failure.LOST, "illegal address, says the test");
        case "heap" -> throw new OutOfMemoryError("Java heap space, says the test");
        case "hung" -> {
          while (true) { // as a kernel that never returns: an interrupt does not help
            LockSupport.park(this);
          }
        }
        default -> throw new IllegalStateException("there is no fault " + fault);
      }
    }
  }
}
