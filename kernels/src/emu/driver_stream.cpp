// SPDX-License-Identifier: Apache-2.0
// Streams, events, graphs. Work runs at once, or (streams=lazy) when somebody waits for it.
#include <chrono>

#include "driver.h"

namespace cuemu {
namespace {
double now_ms() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

CUresult run(Stream& stream, const Op& op) {
  const CUresult status = op();
  if (is_lost(status)) stream.device->lost = status;
  return status;
}

// Runs what is first; or waits for it where it hangs, and runs nothing: others may have gone on.
CUresult step(Stream& stream) {
  if (auto hang = stream.queue.front().hang; hang && !hang->released) {
    wait_for(*hang);
    return stream.device->lost;
  }
  Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  return run(stream, work.op);
}

bool hangs(const Stream& stream) {
  return !stream.queue.empty() && stream.queue.front().hang && !stream.queue.front().hang->released;
}
}  // namespace

std::shared_ptr<Stream> stream_of(Device& device, void* handle) {
  if (!handle) return device.null_stream;
  auto stream = streams.find(handle);
  return stream && stream->device == &device ? stream : nullptr;
}

CUresult submit(Stream& stream, Op op, std::shared_ptr<Hang> hang) {
  if (stream.capture) {
    stream.capture->ops.push_back(std::move(op));
    return OK;
  }
  if (config.lazy_streams || hang || !stream.queue.empty()) {
    stream.queue.push_back({std::move(op), std::move(hang)});
    return OK;
  }
  return run(stream, op);
}

CUresult drain(Stream& stream) {
  while (!stream.queue.empty()) {
    if (CUresult r = step(stream)) {
      stream.queue.clear();
      return r;
    }
  }
  return stream.device->lost;
}

CUresult drain_all(Device& device, bool also_non_blocking) {
  CUresult first = drain(*device.null_stream);
  for (auto& stream : streams.all()) {
    if (stream->device != &device || (stream->non_blocking && !also_non_blocking)) continue;
    const CUresult r = drain(*stream);
    if (!first) first = r;
  }
  return first;
}

bool capture_forbids(Device& device) {
  for (auto& stream : streams.all()) {
    const auto& capture = stream->capture;
    if (capture && stream->device == &device &&
        (!capture->thread_local_mode || capture->thread == std::this_thread::get_id()))
      return true;
  }
  return false;
}

static CUresult finish(Event& event, unsigned long long record) {
  while (event.done < record && event.stream && !event.stream->queue.empty())
    if (CUresult r = step(*event.stream)) return r;
  return OK;
}

template <class F>
static CUresult with_event(void* handle, F body) {
  return with_context([&](Device& d) -> CUresult {
    auto event = events.find(handle);
    return event && event->device == &d ? body(d, event) : INVALID_HANDLE;
  });
}
template <class F>
static CUresult with_stream(void* handle, F body) {
  return with_context([&](Device& d) -> CUresult {
    auto stream = stream_of(d, handle);
    return stream ? body(d, *stream) : INVALID_HANDLE;
  });
}
static CUresult sync_fault(Device& d) {
  const CUresult f = fault("sync");
  if (is_lost(f)) d.lost = f;
  return f;
}
}  // namespace cuemu

using namespace cuemu;

#pragma GCC visibility push(default)
extern "C" {
CUresult cuStreamCreate(void** s, unsigned flags) {
  return with_context([&](Device& d) -> CUresult {
    if (CUresult f = fault("stream")) return is_lost(f) ? d.lost = f : f;
    auto stream = std::make_shared<Stream>();
    stream->device = &d;
    stream->non_blocking = flags & 1;
    *s = streams.add(stream);
    return OK;
  });
}
CUresult cuStreamCreateWithPriority(void** s, unsigned flags, int) {
  return cuStreamCreate(s, flags);
}
CUresult cuStreamDestroy_v2(void* s) {
  return with_stream(s, [&](Device&, Stream& stream) {
    CUresult r = drain(stream);
    if (r) return r;
    return streams.remove(s) ? OK : INVALID_HANDLE;
  });
}
CUresult cuStreamSynchronize(void* s) {
  return with_stream(s, [&](Device& d, Stream& stream) {
    if (stream.capture) return CAPTURE_UNSUPPORTED;
    if (CUresult f = sync_fault(d)) return f;
    return s ? drain(stream) : drain_all(d, false);
  });
}
CUresult cuStreamQuery(void* s) {
  return with_stream(s, [&](Device&, Stream& stream) {
    if (stream.queue.empty()) return OK;
    if (hangs(stream)) return NOT_READY;
    const CUresult r = step(stream);  // lazy work gets on a little with each question
    return r ? r : NOT_READY;
  });
}
CUresult cuEventCreate(void** e, unsigned) {
  return with_context([&](Device& d) -> CUresult {
    if (CUresult f = fault("event")) return is_lost(f) ? d.lost = f : f;
    auto event = std::make_shared<Event>();
    event->device = &d;
    *e = events.add(event);
    return OK;
  });
}
CUresult cuEventDestroy_v2(void* e) {
  return with_event(
      e, [&](Device&, std::shared_ptr<Event>&) { return events.remove(e) ? OK : INVALID_HANDLE; });
}
CUresult cuEventRecord(void* e, void* s) {
  return with_event(e, [&](Device& d, std::shared_ptr<Event>& event) -> CUresult {
    event->stream = stream_of(d, s);
    if (!event->stream) return INVALID_HANDLE;
    event->capture = event->stream->capture;
    const auto record = ++event->recorded;
    return submit(*event->stream, [event, record] {
      event->done = std::max(event->done, record);
      event->at = now_ms();
      return OK;
    });
  });
}
CUresult cuEventRecordWithFlags(void* e, void* s, unsigned) { return cuEventRecord(e, s); }
CUresult cuStreamWaitEvent(void* s, void* e, unsigned) {
  return with_event(e, [&](Device& d, std::shared_ptr<Event>& event) -> CUresult {
    auto stream = stream_of(d, s);
    if (!stream) return INVALID_HANDLE;
    if (event->capture) {  // joins the capture; operations keep the order in which they came
      stream->capture = event->capture;
      return OK;
    }
    const auto record = event->recorded;
    return submit(*stream, [event, record] { return finish(*event, record); });
  });
}
CUresult cuEventSynchronize(void* e) {
  return with_event(e, [&](Device& d, std::shared_ptr<Event>& event) -> CUresult {
    if (CUresult f = sync_fault(d)) return f;
    if (CUresult r = finish(*event, event->recorded)) return r;
    return d.lost;
  });
}
CUresult cuEventQuery(void* e) {
  return with_event(e, [&](Device&, std::shared_ptr<Event>& event) -> CUresult {
    if (event->done >= event->recorded) return OK;
    if (event->stream->queue.empty() || hangs(*event->stream)) return NOT_READY;
    const CUresult r = step(*event->stream);
    return r ? r : NOT_READY;
  });
}
CUresult cuEventElapsedTime(float* ms, void* a, void* b) {
  return with_context([&](Device&) -> CUresult {
    auto from = events.find(a), to = events.find(b);
    if (!from || !to) return INVALID_HANDLE;
    *ms = float(to->at - from->at);
    return OK;
  });
}
CUresult cuLaunchHostFunc(void* s, void (*fn)(void*), void* data) {
  return with_stream(s, [&](Device&, Stream& stream) {
    return submit(stream, [=] {
      fn(data);
      return OK;
    });
  });
}
CUresult cuStreamAddCallback(void* s, void (*fn)(void*, CUresult, void*), void* data, unsigned) {
  return with_stream(s, [&](Device&, Stream& stream) {
    return submit(stream, [=] {
      fn(s, OK, data);
      return OK;
    });
  });
}

// --- graphs: what was captured, run again in the order in which it came ---
CUresult cuStreamBeginCapture_v2(void* s, int mode) {
  return with_stream(s, [&](Device& d, Stream& stream) -> CUresult {
    if (!s || stream.capture) return INVALID_VALUE;  // work that waits runs before or beside it
    stream.capture = std::make_shared<Graph>();
    stream.capture->device = &d;
    stream.capture->thread = std::this_thread::get_id();
    stream.capture->thread_local_mode = mode != 0;
    return OK;
  });
}
CUresult cuStreamIsCapturing(void* s, int* v) {
  return with_stream(s, [&](Device&, Stream& stream) {
    *v = stream.capture ? 1 : 0;
    return OK;
  });
}
CUresult cuStreamEndCapture(void* s, void** g) {
  return with_stream(s, [&](Device&, Stream& stream) -> CUresult {
    auto capture = stream.capture;
    if (!capture) return CAPTURE_UNMATCHED;
    for (auto& other : streams.all())
      if (other->capture == capture) other->capture.reset();
    for (auto& event : events.all())
      if (event->capture == capture) event->capture.reset();
    *g = graphs.add(capture);
    return OK;
  });
}
CUresult cuGraphInstantiateWithFlags(void** x, void* g, unsigned long long) {
  return with_context([&](Device&) -> CUresult {
    auto graph = graphs.find(g);
    if (!graph) return INVALID_HANDLE;
    *x = graph_execs.add(std::make_shared<Graph>(*graph));
    return OK;
  });
}
CUresult cuGraphUpload(void* x, void* s) {
  return with_stream(s,
                     [&](Device&, Stream&) { return graph_execs.find(x) ? OK : INVALID_HANDLE; });
}
CUresult cuGraphLaunch(void* x, void* s) {
  return with_stream(s, [&](Device& d, Stream& stream) -> CUresult {
    auto graph = graph_execs.find(x);
    if (!graph || graph->device != &d) return INVALID_HANDLE;
    const CUresult f = fault("graph");
    if (f && !is_lost(f)) return f;
    d.counters.graph_launches++;
    return submit(
        stream,
        [graph, f]() -> CUresult {
          if (f) return f;
          for (auto& op : graph->ops)
            if (CUresult r = op()) return r;
          return OK;
        },
        hang_due("graph"));
  });
}
CUresult cuGraphGetNodes(void* g, void** nodes, size_t* n) {
  return with_context([&](Device&) -> CUresult {
    auto graph = graphs.find(g);
    if (!graph) return INVALID_HANDLE;
    if (nodes) return NOT_SUPPORTED;
    *n = graph->ops.size();
    return OK;
  });
}
CUresult cuGraphDestroy(void* g) {
  return with_context([&](Device&) { return graphs.remove(g) ? OK : INVALID_HANDLE; });
}
CUresult cuGraphExecDestroy(void* x) {
  return with_context([&](Device&) { return graph_execs.remove(x) ? OK : INVALID_HANDLE; });
}
}
#pragma GCC visibility pop
