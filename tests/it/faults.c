/* A disk that fails on demand, for faults.rs: loaded before libc, it lets the calls through that
 * would reach a file whose path begins with $FAULTS_ON, or fails them, as the first character of
 * the file $FAULTS_BY says: s = no sync works (EIO), w = no write works (EIO), f = the disk is
 * full (ENOSPC). Anything else is a disk in order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int is_ours(int fd) {
    const char *on = getenv("FAULTS_ON");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (on == NULL || length < 0) return 0;
    path[length] = '\0';
    return strncmp(path, on, strlen(on)) == 0;
}

static char fault(int fd) {
    const char *by = getenv("FAULTS_BY");
    char kind = '-';
    int control = by == NULL ? -1 : open(by, O_RDONLY | O_CLOEXEC);
    if (control < 0) return '-';
    if (syscall(SYS_read, control, &kind, 1) != 1) kind = '-';
    close(control);
    return kind != '-' && is_ours(fd) ? kind : '-';
}

static int fails(int fd, const char *kinds) {
    char kind = fault(fd);
    if (strchr(kinds, kind) == NULL) return 0;
    errno = kind == 'f' ? ENOSPC : EIO;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails(fd, "wf") ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return fails(fd, "wf") ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

int fsync(int fd) {
    return fails(fd, "s") ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return fails(fd, "s") ? -1 : (int)syscall(SYS_fdatasync, fd);
}
