/* LD_PRELOAD for kernels without DMA heaps: ordinary shared memory in place of /dev/dma_heap/NAME and /dev/udmabuf.
 *
 * libcamera's virtual camera and picamera2 take picture buffers from there and map them. A memfd can be mapped all the
 * same, and where no device reads or writes the memory there are no caches to synchronize. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static int is_replaced(const char *path)
{
    return path && (strncmp(path, "/dev/dma_heap/", 14) == 0 || strcmp(path, "/dev/udmabuf") == 0);
}

static int memory(off_t size)
{
    int fd = memfd_create("dma", MFD_CLOEXEC);

    if (fd >= 0 && size && ftruncate(fd, size) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The C library has four names for opening a file; `where` is unused by those that take no directory. */
static int open_file(const char *name, int has_directory, int where, const char *path, int flags, mode_t mode)
{
    if (is_replaced(path))
        return memory(0);
    if (has_directory)
        return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, name))(where, path, flags, mode);
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

#define REPLACE(name, has_directory, where, ...)                                        \
    int name(__VA_ARGS__, ...)                                                          \
    {                                                                                   \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        mode_t mode = mode_of(flags, more);                                             \
        va_end(more);                                                                   \
        return open_file(#name, has_directory, where, path, flags, mode);               \
    }

REPLACE(open, 0, AT_FDCWD, const char *path, int flags)
REPLACE(open64, 0, AT_FDCWD, const char *path, int flags)
REPLACE(openat, 1, directory, int directory, const char *path, int flags)
REPLACE(openat64, 1, directory, int directory, const char *path, int flags)

int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);

    switch (request) {
    case DMA_HEAP_IOCTL_ALLOC: {
        struct dma_heap_allocation_data *allocation = argument;
        int buffer = memory(allocation->len);
        if (buffer < 0)
            return -1;
        allocation->fd = buffer;
        return 0;
    }
    case UDMABUF_CREATE: /* makes a DMA buffer out of a memfd, which it can stay */
        return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    case DMA_BUF_SET_NAME_A:
    case DMA_BUF_SET_NAME_B:
    case DMA_BUF_IOCTL_SYNC:
        return 0;
    default:
        return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
    }
}
