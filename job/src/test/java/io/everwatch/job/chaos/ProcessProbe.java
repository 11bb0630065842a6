// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** Looks into another JVM of this user: memory, threads, processor time. Linux. */
final class ProcessProbe implements AutoCloseable {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux

  private final long pid;
  private final JMXConnector connector;
  private final MBeanServerConnection beans;

  private ProcessProbe(long pid, JMXConnector connector) throws IOException {
    this.pid = pid;
    this.connector = connector;
    this.beans = connector.getMBeanServerConnection();
  }

  @SuppressWarnings("BanJNDI") // the address comes from a process that this one has started
  static ProcessProbe of(long pid) throws IOException {
    try {
      VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
      try {
        return new ProcessProbe(
            pid,
            JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent())));
      } finally {
        machine.detach();
      }
    } catch (AttachNotSupportedException e) {
      throw new IOException("process " + pid + " cannot be looked into", e);
    }
  }

  /** Heap in use after a full collection, which this causes. */
  long heapAfterCollection() throws IOException {
    MemoryMXBean memory =
        ManagementFactory.newPlatformMXBeanProxy(
            beans, ManagementFactory.MEMORY_MXBEAN_NAME, MemoryMXBean.class);
    memory.gc();
    return memory.getHeapMemoryUsage().getUsed();
  }

  /** Memory of direct buffers. */
  long directBytes() throws IOException {
    return ManagementFactory.newPlatformMXBeanProxy(
            beans, "java.nio:type=BufferPool,name=direct", BufferPoolMXBean.class)
        .getMemoryUsed();
  }

  int threads() throws IOException {
    return threadBean().getThreadCount();
  }

  /** Processor time so far of the threads whose name begins like this. */
  Duration cpuOfThreads(Pattern name) throws IOException {
    ThreadMXBean threads = threadBean();
    long nanos = 0;
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && name.matcher(thread.getThreadName()).lookingAt()) {
        nanos += Math.max(0, threads.getThreadCpuTime(thread.getThreadId()));
      }
    }
    return Duration.ofNanos(nanos);
  }

  private ThreadMXBean threadBean() throws IOException {
    return ManagementFactory.newPlatformMXBeanProxy(
        beans, ManagementFactory.THREAD_MXBEAN_NAME, ThreadMXBean.class);
  }

  /** Resident set, natives included. */
  long residentBytes() throws IOException {
    return status("VmRSS:") * 1024;
  }

  /** Processor time of the whole process so far, seconds. */
  double cpuSeconds() throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    // The name in parentheses may contain spaces; utime and stime are fields 14 and 15 of all.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }

  private long status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow(() -> new IOException("process " + pid + " has no " + field));
  }

  @Override
  public void close() throws IOException {
    connector.close();
  }
}
