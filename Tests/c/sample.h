/* What a soak measures of its process, and what may not grow. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "client.h"

struct sample {
    long kilobytes, threads, fds;
};

UNUSED static struct sample sample(const char *when)
{
    struct sample s = {0, threads_now(), fds_now()};
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");

    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "VmRSS: %ld", &s.kilobytes);
    if (status != NULL)
        fclose(status);
    printf("%-24s %7ld KiB %3ld threads %3ld fds\n", when, s.kilobytes, s.threads, s.fds);
    return s;
}

UNUSED static void flat(const char *what, struct sample before, struct sample after, long kilobytes)
{
    CHECK(text("%s: memory grew by %ld KiB, allowed are %ld", what, after.kilobytes - before.kilobytes, kilobytes),
          after.kilobytes - before.kilobytes <= kilobytes);
    CHECK(text("%s: no thread more", what), after.threads <= before.threads);
    CHECK(text("%s: no descriptor more", what), after.fds <= before.fds);
}

#endif
