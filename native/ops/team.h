// The threads that carry out an operation.
//
// An operation of this folder is called by every thread of the innermost parallel region with the same arguments,
// divides its work among them and returns in each when all of them are done: Team::region(). Or one thread carries it
// out alone, inside a region or not, without waiting: Team::alone(). No result depends on which, or on how many.
#pragma once

#include <omp.h>
#include <stdint.h>

namespace hir {

struct Team {
  int32_t rank, size;

  static Team region() { return {omp_get_thread_num(), omp_get_num_threads()}; }
  static Team alone() { return {0, 1}; }

  void wait() const {
    if (size > 1) {
#pragma omp barrier
    }
  }

  // work(unit) for each of `units`, by the next free thread; all are done when it returns.
  template <class Work>
  void share(int64_t units, const Work &work) const {
    share_without_waiting(units, work);
    wait();
  }

  template <class Work>
  void share_without_waiting(int64_t units, const Work &work) const {
    if (size == 1) {
      for (int64_t unit = 0; unit < units; unit++) work(unit);
      return;
    }
#pragma omp for schedule(dynamic) nowait
    for (int64_t unit = 0; unit < units; unit++) work(unit);
  }
};

}  // namespace hir
