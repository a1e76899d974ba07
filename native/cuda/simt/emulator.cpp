#include "simt/emulator.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <vector>

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

constexpr int WARP = 32, MOST_THREADS = 1024, MOST_FIBERS = MOST_THREADS * MOST_CLUSTER;
constexpr size_t STACK = 64 << 10, SHARED = 256 << 10, GUARD = 256, PLACE = SHARED + GUARD;
constexpr unsigned char POISON = 0xff;  // a NaN in every floating-point type

enum State : unsigned char { READY, AT_BARRIER, AT_CLUSTER, AT_EXCHANGE, ENDED };

struct Fiber {
  void *stack_pointer;
  State state;
  unsigned exchanges;  // so far: successive ones use alternate slots, and need no second rendezvous
};

// Asynchronous copies of a thread that have not been waited for.
struct Copies {
  struct Copy {
    Bits16 *to;
    const Bits16 *from;
    int group;
  };
  std::vector<Copy> waiting;
  int groups = 0;
};

// The cluster of blocks, mostly a single one, that this host thread runs.
struct Block {
  Fiber fibers[MOST_FIBERS];  // those of one block after those of another
  Copies copies[MOST_FIBERS];
  uint64_t slots[2][MOST_FIBERS];
  uint32_t operands[2][MOST_FIBERS][6];
  int places[MOST_FIBERS];  // the order in which they run
  int threads, count;       // of a block; of all
  int at_barrier[MOST_CLUSTER], at_cluster, ended, at_exchange[MOST_FIBERS / WARP];
  void *scheduler;
  void (*body)(const void *);
  const void *arguments;
  char *stacks;
  unsigned char *shared;

  Block() {
    stacks = static_cast<char *>(
        mmap(nullptr, STACK * MOST_FIBERS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    shared = static_cast<unsigned char *>(aligned_alloc(64, MOST_CLUSTER * PLACE));
  }

  ~Block() {
    munmap(stacks, STACK * MOST_FIBERS);
    free(shared);
  }

  // The running one.
  int fiber() const { return running.rank * threads + running.thread; }

  void pause(State state) {
    Fiber &fiber = fibers[this->fiber()];
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
  at_cluster = ended = 0;
  for (int &arrived : at_barrier) arrived = 0;
  for (int &arrived : at_exchange) arrived = 0;
  for (int i = 0; i < count; i++) {
    void **top = reinterpret_cast<void **>(stacks + STACK * (i + 1));
    *--top = nullptr;  // keeps the stack aligned as a call would
    *--top = reinterpret_cast<void *>(fiber_main);
    for (int saved = 0; saved < 6; saved++) *--top = nullptr;
    fibers[i] = {top, READY, 0};
    copies[i].waiting.clear();
  }
  const int64_t first = running.block;
  const auto release = [this](int from, int to) {
    for (int i = from; i < to; i++) fibers[i].state = READY;
  };
  while (ended < count) {
    bool progress = false;
    for (int place = 0; place < count; place++) {
      const int i = places[place], rank = i / threads;
      if (fibers[i].state != READY) continue;
      progress = true;
      running.thread = i % threads;
      running.rank = rank;
      running.block = first + rank;
      running.shared = shared + rank * PLACE;
      hir_simt_switch(&scheduler, fibers[i].stack_pointer);
      if (fibers[i].state == AT_BARRIER) at_barrier[rank]++;
      if (fibers[i].state == AT_CLUSTER) at_cluster++;
      if (fibers[i].state == AT_EXCHANGE && ++at_exchange[i / WARP] == WARP) {
        at_exchange[i / WARP] = 0;
        release(i / WARP * WARP, (i / WARP + 1) * WARP);
      }
    }
    for (int rank = 0; rank < count / threads; rank++) {
      if (at_barrier[rank] < threads) continue;
      at_barrier[rank] = 0;
      release(rank * threads, (rank + 1) * threads);
      progress = true;
    }
    if (at_cluster == count) {
      at_cluster = 0;
      release(0, count);
      progress = true;
    }
    if (!progress) return "a barrier or shuffle is not reached by all threads";
  }
  return nullptr;
}

}  // namespace

void barrier() { current->pause(AT_BARRIER); }

void cluster_wait() { current->pause(AT_CLUSTER); }

void *of_cluster(void *shared, int rank) { return static_cast<char *>(shared) + (rank - running.rank) * int64_t{PLACE}; }

uint64_t exchange(uint64_t value, int from) {
  Block &block = *current;
  const int fiber = block.fiber();
  uint64_t *slots = block.slots[block.fibers[fiber].exchanges++ % 2];
  slots[fiber] = value;
  block.pause(AT_EXCHANGE);
  return slots[fiber / WARP * WARP + from];
}

uint32_t ballot(bool holds) {
  Block &block = *current;
  const int fiber = block.fiber();
  uint64_t *slots = block.slots[block.fibers[fiber].exchanges++ % 2];
  slots[fiber] = holds;
  block.pause(AT_EXCHANGE);
  uint32_t votes = 0;
  for (int lane = 0; lane < WARP; lane++) votes |= static_cast<uint32_t>(slots[fiber / WARP * WARP + lane]) << lane;
  return votes;
}

void copy_async(Bits16 *to, const Bits16 *from, bool there) {
  Copies &copies = current->copies[current->fiber()];
  memset(to, POISON, sizeof *to);
  copies.waiting.push_back({to, there ? from : nullptr, copies.groups});
}

void commit_copies() { current->copies[current->fiber()].groups++; }

void wait_for_copies_but(int groups) {
  Copies &copies = current->copies[current->fiber()];
  size_t left = 0;
  for (const Copies::Copy &copy : copies.waiting) {
    if (copy.group >= copies.groups - groups) {
      copies.waiting[left++] = copy;
    } else {
      *copy.to = copy.from ? *copy.from : Bits16{0, 0, 0, 0};
    }
  }
  copies.waiting.resize(left);
}

void multiply_16x8x16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
  Block &block = *current;
  const int fiber = block.fiber(), lane = fiber % WARP;
  uint32_t (*const all)[6] = block.operands[block.fibers[fiber].exchanges++ % 2];
  const uint32_t mine[6] = {a0, a1, a2, a3, b0, b1};
  memcpy(all[fiber], mine, sizeof mine);
  block.pause(AT_EXCHANGE);
  const uint32_t (*const lanes)[6] = all + (fiber - lane);
  for (int i = 0; i < 4; i++) {
    const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; k++) {
      const int holder = k % 8 / 2, half = k / 8;
      const uint32_t a = lanes[row % 8 * 4 + holder][row / 8 + 2 * half], b = lanes[column * 4 + holder][4 + half];
      c[i] = fmaf(as_float(k % 2 ? a & 0xffff0000u : a << 16), as_float(k % 2 ? b & 0xffff0000u : b << 16), c[i]);
    }
  }
}

const char *run(void (*body)(const void *), const void *arguments, int64_t blocks, int threads, size_t shared_bytes,
                Order order, int cluster) {
  if (threads < WARP || threads > MOST_THREADS || threads % WARP) return "a block is 1 to 32 whole warps";
  if (blocks < 1 || blocks > INT32_MAX) return "a grid has 1 to 2^31 - 1 blocks";
  if (cluster < 1 || cluster > MOST_CLUSTER || blocks % cluster) return "a grid is whole clusters of 1 to 8 blocks";
  if (shared_bytes > SHARED) return "too much shared memory";
  static thread_local Block block;
  if (current) return "a kernel cannot start another";
  current = &block;
  block.threads = threads;
  block.count = threads * cluster;
  block.body = body;
  block.arguments = arguments;
  uint32_t random = 12345;
  for (int i = 0; i < block.count; i++) block.places[i] = order == DESCENDING ? block.count - 1 - i : i;
  for (int i = block.count - 1; order == SHUFFLED && i > 0; i--) {
    random = random * 1664525 + 1013904223;
    const int other = static_cast<int>((random >> 8) % (i + 1)), kept = block.places[i];
    block.places[i] = block.places[other];
    block.places[other] = kept;
  }
  const char *wrong = nullptr;
  for (int64_t b = 0; b < blocks && !wrong; b += cluster) {
    running = {0, threads, 0, order == ASCENDING ? b : blocks - cluster - b, blocks, block.shared};
    for (int rank = 0; rank < cluster; rank++) memset(block.shared + rank * PLACE, POISON, shared_bytes + GUARD);
    wrong = block.run_threads();
    for (int rank = 0; rank < cluster && !wrong; rank++) {
      for (size_t i = shared_bytes; i < shared_bytes + GUARD; i++) {
        if (block.shared[rank * PLACE + i] != POISON) wrong = "shared memory is written past its end";
      }
    }
  }
  current = nullptr;
  return wrong;
}

}  // namespace hir::simt
