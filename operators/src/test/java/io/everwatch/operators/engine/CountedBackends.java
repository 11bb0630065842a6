// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceName;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A GPU as the table of engines sees it: the CPU under another name, counted. */
public final class CountedBackends implements BackendProvider {
  static final String NAME = "counted";
  static final AtomicInteger OPENED = new AtomicInteger();
  static final AtomicInteger CLOSED = new AtomicInteger();

  /** Thrown by the next {@code embed}, once. */
  static final AtomicReference<@Nullable Error> FAULT = new AtomicReference<>();

  static DeviceName device(int index) {
    return new DeviceName(NAME, index);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability availability() {
    return new Availability(true, "the CPU, counted", "");
  }

  @Override
  public Backend open(BackendOptions options) {
    Backend sound = Backends.open("cpu", options);
    OPENED.incrementAndGet();
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          if (method.getName().equals("close")) {
            CLOSED.incrementAndGet();
          } else if (method.getName().equals("embed")) {
            Error fault = FAULT.getAndSet(null);
            if (fault != null) {
              throw fault;
            }
          }
          try {
            return method.invoke(sound, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, handler);
  }
}
