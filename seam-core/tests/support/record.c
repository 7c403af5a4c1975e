// Records what a process writes to the files of one folder, in order, with every sync: what a disk would have seen.
//
// Preloaded (LD_PRELOAD). SEAM_RECORD_FOLDER is the folder, SEAM_RECORD_LOG the file that the record is appended to. A record is a head
// of four 64-bit numbers (operation, length of the name, offset, length of the data), the file's name and the data. Operations:
// 1 write, 2 sync, 3 truncate (to the offset), 4 unlink. One lock is held over the call and its record, so that the order is exact.
//
// With SEAM_FAIL_SYNC=n the n-th sync fails as a broken disk does, with SEAM_FAIL_WRITE=n the n-th write, with SEAM_FULL_WRITE=n the n-th
// write and all after it as on a full disk, with SEAM_FULL_ONCE=n only that one: somebody makes room. With SEAM_FAIL_READ=n the n-th read
// of the thread that writes fails as on a broken disk (SQLite takes that for a damaged file), with SEAM_GONE_READ=n as on one that was
// unplugged. What a test writes about itself (the file "acks") never fails.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -2;
static char folder[4096];
static long fail_sync, fail_write, full_write, full_once, fail_read, gone_read;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void start(void) {
    if (log_fd != -2) return;
    const char *f = getenv("SEAM_RECORD_FOLDER"), *l = getenv("SEAM_RECORD_LOG");
    log_fd = -1;
    if (!f || !l) return;
    snprintf(folder, sizeof folder, "%s/", f);
    fail_sync = number("SEAM_FAIL_SYNC");
    fail_write = number("SEAM_FAIL_WRITE");
    full_write = number("SEAM_FULL_WRITE");
    full_once = number("SEAM_FULL_ONCE");
    fail_read = number("SEAM_FAIL_READ");
    gone_read = number("SEAM_GONE_READ");
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *in_folder(const char *path) {
    size_t n = strlen(folder);
    if (log_fd < 0) return NULL;
    // The folder itself has the empty name: a sync of it makes removals last.
    if (strlen(path) == n - 1 && strncmp(path, folder, n - 1) == 0) return "";
    if (strncmp(path, folder, n) != 0) return NULL;
    const char *name = path + n;
    size_t m = strlen(name);
    // The shared index is memory, not disk.
    if (m > 4 && strcmp(name + m - 4, "-shm") == 0) return NULL;
    return name;
}

static const char *name_of(int fd, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, buffer, size - 1);
    if (n <= 0) return NULL;
    buffer[n] = 0;
    return in_folder(buffer);
}

static void record(uint64_t op, const char *name, uint64_t offset, const void *data, uint64_t size) {
    uint64_t head[4] = {op, strlen(name), offset, size};
    struct iovec parts[3] = {{head, sizeof head}, {(void *)name, head[1]}, {(void *)data, size}};
    ssize_t want = (ssize_t)(sizeof head + head[1] + size);
    if (syscall(SYS_writev, log_fd, parts, 3) != want) abort();
}

// Whether this write or sync is the one that fails, and how.
static int fails(const char *name, int is_sync) {
    if (!name || strcmp(name, "acks") == 0) return 0;
    if (is_sync) return fail_sync && --fail_sync == 0 ? EIO : 0;
    if (full_write && (full_write == 1 || --full_write == 1)) return ENOSPC;
    if (full_once && --full_once == 0) return ENOSPC;
    return fail_write && --fail_write == 0 ? EIO : 0;
}

// Whether this is the store's thread that writes: a thread's name has room for 15 letters.
static int is_writer(void) {
    char name[16] = "";
    return prctl(PR_GET_NAME, name) == 0 && strcmp(name, "seam-store-writ") == 0;
}

#define REAL(type, name, ...)                                      \
    static type (*real)(__VA_ARGS__);                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name); \
    pthread_mutex_lock(&lock);                                     \
    start();                                                       \
    char buffer[4096];                                             \
    (void)buffer

#define DONE(value) do { pthread_mutex_unlock(&lock); return value; } while (0)
#define MAY_FAIL(is_sync)                                                       \
    int error = fails(name, is_sync);                                           \
    if (error) {                                                                \
        pthread_mutex_unlock(&lock);                                            \
        errno = error;                                                          \
        return -1;                                                              \
    }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    const char *name = log_fd >= 0 ? name_of(fd, buffer, sizeof buffer) : NULL;
    MAY_FAIL(0)
    off_t at = name ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t n = real(fd, data, size);
    if (name && n > 0) record(1, name, (uint64_t)at, data, (uint64_t)n);
    DONE(n);
}

#define PWRITE(function)                                                        \
    ssize_t function(int fd, const void *data, size_t size, off_t at) {         \
        REAL(ssize_t, #function, int, const void *, size_t, off_t);             \
        const char *name = log_fd >= 0 ? name_of(fd, buffer, sizeof buffer) : NULL; \
        MAY_FAIL(0)                                                             \
        ssize_t n = real(fd, data, size, at);                                   \
        if (name && n > 0) record(1, name, (uint64_t)at, data, (uint64_t)n);    \
        DONE(n);                                                                \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

// Reads are not recorded, and no lock is held over them: one may wait for another thread of this process.
#define MAY_FAIL_TO_READ                                                        \
    int error = 0;                                                              \
    if ((fail_read || gone_read) && log_fd >= 0 && is_writer() && name_of(fd, buffer, sizeof buffer)) { \
        if (fail_read && --fail_read == 0) error = EIO;                         \
        if (gone_read && --gone_read == 0) error = ENODEV;                      \
    }                                                                           \
    pthread_mutex_unlock(&lock);                                                \
    if (error) {                                                                \
        errno = error;                                                          \
        return -1;                                                              \
    }

ssize_t read(int fd, void *data, size_t size) {
    REAL(ssize_t, "read", int, void *, size_t);
    MAY_FAIL_TO_READ
    return real(fd, data, size);
}

#define PREAD(function)                                                         \
    ssize_t function(int fd, void *data, size_t size, off_t at) {               \
        REAL(ssize_t, #function, int, void *, size_t, off_t);                   \
        MAY_FAIL_TO_READ                                                        \
        return real(fd, data, size, at);                                        \
    }
PREAD(pread)
PREAD(pread64)

#define TRUNCATE(function)                                                      \
    int function(int fd, off_t size) {                                          \
        REAL(int, #function, int, off_t);                                       \
        const char *name = log_fd >= 0 ? name_of(fd, buffer, sizeof buffer) : NULL; \
        int result = real(fd, size);                                            \
        if (name && result == 0) record(3, name, (uint64_t)size, "", 0);        \
        DONE(result);                                                           \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(function)                                                          \
    int function(int fd) {                                                      \
        REAL(int, #function, int);                                              \
        const char *name = log_fd >= 0 ? name_of(fd, buffer, sizeof buffer) : NULL; \
        MAY_FAIL(1)                                                             \
        int result = real(fd);                                                  \
        if (name && result == 0) record(2, name, 0, "", 0);                     \
        DONE(result);                                                           \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    const char *name = log_fd >= 0 ? in_folder(path) : NULL;
    int result = real(path);
    if (name && result == 0) record(4, name, 0, "", 0);
    DONE(result);
}
