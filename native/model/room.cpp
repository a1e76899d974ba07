#include "room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

namespace hir {

namespace {

// Smaller pieces are not worth the question.
constexpr int64_t SMALL = 64 << 20;

// Of what the kernel could free without swapping; -1 where it does not say.
int64_t available() {
  FILE *const file = fopen("/proc/meminfo", "re");
  if (!file) return -1;
  char line[128];
  int64_t kib = -1;
  while (kib < 0 && fgets(line, sizeof line, file)) {
    if (sscanf(line, "MemAvailable: %" SCNd64, &kib) != 1) kib = -1;
  }
  fclose(file);
  return kib < 0 ? -1 : kib * 1024;
}

// The one number of a file; -1 where it holds none ("max").
int64_t number_in(const char *path) {
  FILE *const file = fopen(path, "re");
  if (!file) return -1;
  int64_t value = -1;
  if (fscanf(file, "%" SCNd64, &value) != 1) value = -1;
  fclose(file);
  return value;
}

}  // namespace

bool room_for(int64_t bytes) {
  if (bytes < SMALL) return true;
  const int64_t free = available();
  if (free >= 0 && bytes > free) return false;
  // A container's own limit (control groups 2). Pages of files count as used there, and would be dropped: so only what can
  // never fit is refused.
  const int64_t most = number_in("/sys/fs/cgroup/memory.max");
  return most < 0 || bytes <= most;
}

}  // namespace hir
