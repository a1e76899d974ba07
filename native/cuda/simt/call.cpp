// Device memory, streams and errors of the emulator: there is one stream, which has always finished.
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "hir_kernels.h"

namespace hir::simt {

thread_local Recording *recording = nullptr;

namespace {

// Different sizes, so that rows that do not fit occur too.
constexpr size_t SHARED_MEMORY[ORDERS] = {227 << 10, 40 << 10, 99 << 10};
// Few, so that blocks work in rounds.
constexpr int64_t PROCESSORS[ORDERS] = {3, 2, 5};

thread_local uint64_t fault_word_memory = NO_FAULT;

}  // namespace

int32_t usable(const char *kernel, int32_t device) {
  if (device >= 0 && device < ORDERS) return HIR_OK;
  return fail(HIR_UNSUPPORTED, "%s: the emulator has devices 0 to %d, not %d", kernel, ORDERS - 1, device);
}

Call::Call(const char *kernel, const Place &place) : kernel_name(kernel), place(place) {
  if ((error = usable(kernel, place.device))) return;
  fault_memory = &fault_word_memory;
  shared_limit = SHARED_MEMORY[place.device];
  cluster_limit = place.device == 1 ? 1 : MOST_CLUSTER;
  processor_count = PROCESSORS[place.device];
}

Call::~Call() {
  for (int i = 0; i < blocks_held; i++) free(blocks_of_memory[i]);
}

void Call::overlap() {}

void *Call::scratch(size_t bytes) {
  if (failed()) return nullptr;
  void *memory = malloc(bytes);
  if (!memory) {
    error = fail(HIR_NO_MEMORY, "%s: out of memory", kernel_name);
    return nullptr;
  }
  memset(memory, 0xff, bytes);  // NaN: memory that is not written first shows
  blocks_of_memory[blocks_held++] = memory;
  return memory;
}

void Call::upload(void *to, const void *from, size_t bytes) {
  if (!failed()) memcpy(to, from, bytes);
}

void Call::copy(void *to, const void *from, size_t bytes) { upload(to, from, bytes); }

void Call::copy_rows(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows) {
  for (size_t i = 0; i < rows; i++) {
    upload(static_cast<char *>(to) + i * to_pitch, static_cast<const char *>(from) + i * from_pitch, bytes);
  }
}

void *Call::allocate(size_t bytes) {
  void *memory = scratch(bytes);
  if (memory) blocks_held--;
  return memory;
}

void Call::release(const Place &, void *memory) { free(memory); }

void Call::trim(const Place &) {}

void Call::fill(void *memory, int value, size_t bytes) {
  if (!failed()) memset(memory, value, bytes);
}

void Call::read(void *to, const void *from, size_t bytes) {
  if (failed()) return;
  if (bytes > 0) memcpy(to, from, bytes);  // of nothing, both may be null
  const uint64_t fault = fault_word_memory;
  fault_word_memory = NO_FAULT;
  error = fail_for(fault);
}

void Call::read_pinned(void *to, const void *from, size_t bytes) { read(to, from, bytes); }

Pinned::~Pinned() { free(data); }

char *Pinned::reserve(Call &call, size_t bytes) {
  if (bytes <= size || call.failed()) return data;
  free(data);
  data = static_cast<char *>(malloc(bytes));
  size = data ? bytes : 0;
  if (!data) call.fail_with(fail(HIR_NO_MEMORY, "decoder: out of memory"));
  return data;
}

}  // namespace hir::simt
