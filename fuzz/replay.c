/* replay - feeds the files of a corpus to a fuzz target, in any build
 *
 * Each file is given as it is and then cut short at many places, each time in
 * memory of exactly its size, so that a sanitizer sees one byte too many. An
 * empty corpus is a failure: nothing would have been tested. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE 1048576

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int feed(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    if (exact == NULL)
        return -1;
    if (len > 0)
        memcpy(exact, data, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

/* the whole, then prefixes: each of the first 64 lengths, later every 1/32 */
static int feed_prefixes(const uint8_t *data, size_t len)
{
    size_t step = len / 32 + 1;

    if (feed(data, len) != 0)
        return -1;
    for (size_t n = 0; n < len; n += n < 64 ? 1 : step) {
        if (feed(data, n) != 0)
            return -1;
    }
    return 0;
}

static int replay_file(const char *dir, const char *name)
{
    char path[4096];
    uint8_t *data = NULL;
    FILE *f = NULL;
    size_t len;
    int rc = -1;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return -1;
    data = malloc(MAX_FILE);
    f = fopen(path, "rb");
    if (data == NULL || f == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        goto out;
    }
    len = fread(data, 1, MAX_FILE, f);
    rc = ferror(f) ? -1 : feed_prefixes(data, len);
out:
    if (f != NULL)
        fclose(f);
    free(data);
    return rc;
}

int main(int argc, char **argv)
{
    struct dirent *entry;
    size_t n = 0;
    DIR *dir;

    dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay_file(argv[1], entry->d_name) != 0) {
            closedir(dir);
            return 1;
        }
        n++;
    }
    closedir(dir);
    printf("%zu files replayed\n", n);
    return n > 0 ? 0 : 1;
}
