// The physical limit of a switch: exchanges the files of two directories of the same shape, one renameat2(2) each, then
// makes that durable with one syncfs(2). Prints the seconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: exchange NEW LIVE < RELATIVE-PATHS\n");
        return 2;
    }
    int new = open(words[1], O_DIRECTORY), live = open(words[2], O_DIRECTORY);
    static char path[4096];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (scanf("%4095[^\n]%*c", path) == 1)
        if (renameat2(new, path, live, path, RENAME_EXCHANGE)) {
            perror(path);
            return 1;
        }
    if (syncfs(live)) {
        perror("syncfs");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.6f\n", (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9);
}
