#include "simt/emulator.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

// Switches stacks: keeps the callee-saved registers of the System V ABI on the stack that is left.
extern "C" void hir_simt_switch(void **left, void *entered);
asm(R"(
.text
.type hir_simt_switch, @function
.hidden hir_simt_switch
.globl hir_simt_switch
hir_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size hir_simt_switch, .-hir_simt_switch
)");

namespace hir::simt {

thread_local Running running;

namespace {

constexpr int WARP = 32, MOST_THREADS = 1024;
constexpr size_t STACK = 64 << 10, SHARED = 256 << 10, GUARD = 256;
constexpr unsigned char POISON = 0xff;  // a NaN in every floating-point type

enum State : unsigned char { READY, AT_BARRIER, AT_EXCHANGE, ENDED };

struct Fiber {
  void *stack_pointer;
  State state;
  unsigned exchanges;  // so far: successive ones use alternate slots, and need no second rendezvous
};

// The block that this host thread runs.
struct Block {
  Fiber fibers[MOST_THREADS];
  uint64_t slots[2][MOST_THREADS];
  int places[MOST_THREADS];  // the order in which threads run
  int threads, at_barrier, ended, at_exchange[MOST_THREADS / WARP];
  void *scheduler;
  void (*body)(const void *);
  const void *arguments;
  char *stacks;
  unsigned char *shared;

  Block() {
    stacks = static_cast<char *>(
        mmap(nullptr, STACK * MOST_THREADS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    shared = static_cast<unsigned char *>(aligned_alloc(64, SHARED + GUARD));
  }

  ~Block() {
    munmap(stacks, STACK * MOST_THREADS);
    free(shared);
  }

  void pause(State state) {
    Fiber &fiber = fibers[running.thread];
    fiber.state = state;
    hir_simt_switch(&fiber.stack_pointer, scheduler);
  }

  const char *run_threads();
};

thread_local Block *current = nullptr;

void fiber_main() {
  Block &block = *current;
  block.body(block.arguments);
  block.ended++;
  block.pause(ENDED);
  abort();  // an ended fiber is never entered again
}

const char *Block::run_threads() {
  at_barrier = ended = 0;
  for (int &count : at_exchange) count = 0;
  for (int i = 0; i < threads; i++) {
    void **top = reinterpret_cast<void **>(stacks + STACK * (i + 1));
    *--top = nullptr;  // keeps the stack aligned as a call would
    *--top = reinterpret_cast<void *>(fiber_main);
    for (int saved = 0; saved < 6; saved++) *--top = nullptr;
    fibers[i] = {top, READY, 0};
  }
  while (ended < threads) {
    bool progress = false;
    for (int place = 0; place < threads; place++) {
      const int i = places[place];
      if (fibers[i].state != READY) continue;
      progress = true;
      running.thread = i;
      hir_simt_switch(&scheduler, fibers[i].stack_pointer);
      if (fibers[i].state == AT_BARRIER) at_barrier++;
      if (fibers[i].state == AT_EXCHANGE && ++at_exchange[i / WARP] == WARP) {
        at_exchange[i / WARP] = 0;
        for (int lane = i / WARP * WARP; lane < (i / WARP + 1) * WARP; lane++) fibers[lane].state = READY;
      }
    }
    if (at_barrier == threads) {
      at_barrier = 0;
      for (int i = 0; i < threads; i++) fibers[i].state = READY;
    } else if (!progress) {
      return "a barrier or shuffle is not reached by all threads";
    }
  }
  return nullptr;
}

}  // namespace

void barrier() { current->pause(AT_BARRIER); }

uint64_t exchange(uint64_t value, int from) {
  Block &block = *current;
  const int thread = running.thread;
  uint64_t *slots = block.slots[block.fibers[thread].exchanges++ % 2];
  slots[thread] = value;
  block.pause(AT_EXCHANGE);
  return slots[thread / WARP * WARP + from];
}

uint32_t ballot(bool holds) {
  Block &block = *current;
  const int thread = running.thread;
  uint64_t *slots = block.slots[block.fibers[thread].exchanges++ % 2];
  slots[thread] = holds;
  block.pause(AT_EXCHANGE);
  uint32_t votes = 0;
  for (int lane = 0; lane < WARP; lane++) votes |= static_cast<uint32_t>(slots[thread / WARP * WARP + lane]) << lane;
  return votes;
}

const char *run(void (*body)(const void *), const void *arguments, int64_t blocks, int threads, size_t shared_bytes,
                Order order) {
  if (threads < WARP || threads > MOST_THREADS || threads % WARP) return "a block is 1 to 32 whole warps";
  if (blocks < 1 || blocks > INT32_MAX) return "a grid has 1 to 2^31 - 1 blocks";
  if (shared_bytes > SHARED) return "too much shared memory";
  static thread_local Block block;
  if (current) return "a kernel cannot start another";
  current = &block;
  block.threads = threads;
  block.body = body;
  block.arguments = arguments;
  uint32_t random = 12345;
  for (int i = 0; i < threads; i++) block.places[i] = order == DESCENDING ? threads - 1 - i : i;
  for (int i = threads - 1; order == SHUFFLED && i > 0; i--) {
    random = random * 1664525 + 1013904223;
    const int other = static_cast<int>((random >> 8) % (i + 1)), kept = block.places[i];
    block.places[i] = block.places[other];
    block.places[other] = kept;
  }
  const char *wrong = nullptr;
  for (int64_t b = 0; b < blocks && !wrong; b++) {
    running = {0, threads, order == ASCENDING ? b : blocks - 1 - b, blocks, block.shared};
    memset(block.shared, POISON, shared_bytes + GUARD);
    wrong = block.run_threads();
    for (size_t i = shared_bytes; i < shared_bytes + GUARD && !wrong; i++) {
      if (block.shared[i] != POISON) wrong = "shared memory is written past its end";
    }
  }
  current = nullptr;
  return wrong;
}

}  // namespace hir::simt
