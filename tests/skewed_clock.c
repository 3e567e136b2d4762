/* skewed_clock.c - a wall clock that a test may set: preloaded (LD_PRELOAD) into a program, it adds to its wall clock what the
 * file SKEWED_CLOCK says, eight bytes of milliseconds in the machine's order, read anew at each look. The monotonic clock stays as it is.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *skew_ms;

static void find_skew(void)
{
	static const int64_t none;
	const char *path = getenv("SKEWED_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map =
		fd == -1 ? MAP_FAILED : mmap(NULL, sizeof *skew_ms, PROT_READ, MAP_SHARED, fd, 0);

	if (fd != -1)
		close(fd);
	skew_ms = map == MAP_FAILED ? &none : map;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	long result = syscall(SYS_clock_gettime, id, out);
	int64_t ns;

	if (skew_ms == NULL)
		find_skew();
	if (result != 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
		return (int)result;
	ns = (int64_t)out->tv_sec * 1000000000 + out->tv_nsec + *skew_ms * 1000000;
	out->tv_sec = ns / 1000000000;
	out->tv_nsec = ns % 1000000000;
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
