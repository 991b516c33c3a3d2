// SPDX-License-Identifier: Apache-2.0
// Loaded into a server (LD_PRELOAD): writes of snapshots take as long as SLOW_DISK_MICROS says for
// each 64 KiB, as on a slow disk. Others, those of sockets and logs, are as usual.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t write(int fd, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (size >= 65536) {
    char link[64];
    char path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    const char *micros = getenv("SLOW_DISK_MICROS");
    if (length > 0 && micros != NULL) {
      path[length] = '\0';
      if (strstr(path, ".rdb") != NULL) usleep((useconds_t)(strtoul(micros, NULL, 10) * (size >> 16)));
    }
  }
  return real(fd, bytes, size);
}
