/* The system's calls with faults, for a program that is started with this library preloaded. The environment says which:
 *
 *   FAULTY_SHORT=1       reads and writes of files do a few bytes at a time
 *   FAULTY_INTERRUPT=1   every other read, write and fsync is interrupted before it does anything
 *   FAULTY_FULL=N        the disk is full after N bytes
 *   FAULTY_KILL=N        the process is killed after N bytes were written
 *   FAULTY_CHANGE=FILE   FILE gets a byte more while it is read; FAULTY_CUT=FILE: it is cut to ten bytes
 *   FAULTY_THREADS=1     no thread can be started
 *   FAULTY_SIGNALS=1     a signal with a handler comes every millisecond */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kFew = 7, kFirstFile = 3 };

static long written;
static int calls, changed;

static long number(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? -1 : atol(text);
}

static int interrupted(void) {
  if (number("FAULTY_INTERRUPT") != 1 || ++calls % 2 == 0) return 0;
  errno = EINTR;
  return 1;
}

static size_t shortened(size_t bytes) { return number("FAULTY_SHORT") == 1 && bytes > kFew ? kFew : bytes; }

static int is_open_as(const char* path, int file) {
  struct stat named, opened;
  return path != NULL && stat(path, &named) == 0 && fstat(file, &opened) == 0 && named.st_ino == opened.st_ino;
}

static void change(int file_read) {
  const char* grown = getenv("FAULTY_CHANGE");
  const char* cut = getenv("FAULTY_CUT");
  if (changed || (!is_open_as(grown, file_read) && !is_open_as(cut, file_read))) return;
  changed = 1;
  if (cut != NULL && truncate(cut, 10) != 0) abort();
  if (grown != NULL) {
    const int file = open(grown, O_WRONLY | O_APPEND);
    ssize_t (*real)(int, const void*, size_t) = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
    if (file < 0 || real(file, "", 1) != 1) abort();
    close(file);
  }
}

ssize_t pread64(int file, void* to, size_t bytes, off64_t offset) {
  static ssize_t (*real)(int, void*, size_t, off64_t);
  if (real == NULL) real = (ssize_t(*)(int, void*, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
  if (interrupted()) return -1;
  const ssize_t done = real(file, to, shortened(bytes), offset);
  change(file);
  return done;
}
ssize_t pread(int file, void* to, size_t bytes, off_t offset) { return pread64(file, to, bytes, offset); }

ssize_t write(int file, const void* from, size_t bytes) {
  static ssize_t (*real)(int, const void*, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  if (file < kFirstFile) return real(file, from, bytes);
  if (interrupted()) return -1;
  bytes = shortened(bytes);
  const long full = number("FAULTY_FULL"), last = number("FAULTY_KILL");
  if (full >= 0 && written >= full) {
    errno = ENOSPC;
    return -1;
  }
  if (full >= 0 && written + (long)bytes > full) bytes = (size_t)(full - written);
  if (last >= 0 && written + (long)bytes > last) bytes = (size_t)(last - written);
  const ssize_t done = bytes == 0 ? 0 : real(file, from, bytes);
  if (done > 0) written += done;
  if (last >= 0 && written >= last) raise(SIGKILL);
  return done;
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return interrupted() ? -1 : real(file);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (real == NULL)
    real = (int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*))dlsym(RTLD_NEXT, "pthread_create");
  return number("FAULTY_THREADS") == 1 ? EAGAIN : real(thread, attributes, start, argument);
}

static void ignore(int signal) { (void)signal; }

__attribute__((constructor)) static void begin(void) {
  if (number("FAULTY_SIGNALS") != 1) return;
  struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART */
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval every = {.it_interval = {0, 1000}, .it_value = {0, 1000}};
  setitimer(ITIMER_REAL, &every, NULL);
}
