#include "graph.h"

#include "error.h"
#include "hir_kernels.h"

namespace hir::cuda {

namespace {

int32_t check(cudaError_t code, const char *what) {
  if (code == cudaSuccess) return HIR_OK;
  cudaGetLastError();
  return fail(HIR_UNSUPPORTED, "decoder: CUDA graph %s: %s", what, cudaGetErrorString(code));
}

}  // namespace

Graph::~Graph() {
  if (content) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(content));
  if (stream) cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}

int32_t Graph::begin(const Place &place, Place *recording) {
  cudaStream_t made = nullptr;
  if (int32_t code = check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "stream")) return code;
  stream = made;
  recording->stream = reinterpret_cast<int64_t>(made);
  recording->device = place.device;
  // Applies to this thread only: others may allocate meanwhile.
  return check(cudaStreamBeginCapture(made, cudaStreamCaptureModeThreadLocal), "capture");
}

int32_t Graph::end() {
  cudaGraph_t graph = nullptr;
  if (int32_t code = check(cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &graph), "capture")) return code;
  cudaGraphExec_t ready = nullptr;
  const int32_t code = check(cudaGraphInstantiate(&ready, graph, 0), "instantiation");
  cudaGraphDestroy(graph);
  content = ready;
  return code;
}

int32_t Graph::start(const Place &place) {
  return check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(content), reinterpret_cast<cudaStream_t>(place.stream)),
               "launch");
}

}  // namespace hir::cuda
