#include "room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

namespace hir {

namespace {

// Smaller requests are not worth checking.
constexpr int64_t SMALL = 64 << 20;

// Bytes that the system could provide without swapping; -1 if unknown.
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

// The number that a file holds; -1 if it holds none, such as "max".
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
  // The container's limit (control groups 2). What it counts as used includes cached files, which it would drop for us;
  // so refuse only what can never fit.
  const int64_t most = number_in("/sys/fs/cgroup/memory.max");
  return most < 0 || bytes <= most;
}

}  // namespace hir
