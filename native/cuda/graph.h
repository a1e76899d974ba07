// A sequence of launches recorded once and started as a whole: a CUDA graph. Its arguments are those of the recording;
// what changes between starts is in device memory.
#pragma once

#include "call.h"

namespace hir::HIR_DEVICE {

class Graph {
 public:
  Graph() {}
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  // Records what `work` launches through the given call, without running it.
  template <class Work>
  int32_t record(const Place &place, Work work) {
    Place own = place;
    if (int32_t code = begin(place, &own)) return code;
    int32_t code;
    {
      Call call("decoder", own);
      work(call);
      code = call.result();
    }
    const int32_t ended = end();
    return code ? code : ended;
  }

  int32_t start(const Place &place);

 private:
  // Recording uses a separate stream: the caller's may be the default one, which cannot be recorded.
  int32_t begin(const Place &place, Place *recording);
  int32_t end();

  void *content = nullptr;  // cudaGraphExec_t, or the emulator's list
  void *stream = nullptr;
};

}  // namespace hir::HIR_DEVICE
