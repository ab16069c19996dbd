/* launch FD PROGRAM [ARGUMENT ...]
 *
 * Starts PROGRAM, waits for it and writes one line to file descriptor FD:
 *   wall_ns user_us system_us peak_rss_kib status
 * The clock runs from just before the start to just after the reaping. Peak memory is the largest
 * of any one process in the tree. A process cannot read lower than whoever started it, which is
 * why this is not done from Python.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval t)
{
    return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    struct rusage used;
    pid_t child;
    int status;

    if (argc < 3)
        return 2;
    int report = atoi(argv[1]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, report);
    long long begin = nanoseconds();
    if (posix_spawnp(&child, argv[2], &actions, NULL, argv + 2, environ) != 0) {
        dprintf(report, "0 0 0 0 127\n");
        return 0;
    }
    if (wait4(child, &status, 0, &used) < 0)
        return 1;
    long long end = nanoseconds();
    dprintf(report, "%lld %lld %lld %ld %d\n", end - begin, microseconds(used.ru_utime),
            microseconds(used.ru_stime), used.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
