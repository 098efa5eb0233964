#include "test.h"

#include "dir.h"
#include "fault.h"
#include "listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 70 /* more than there is room for at first */

/* What listing.c and memfile.c call. */
void *lacking_realloc(void *old, size_t size);
char *lacking_strdup(const char *text);
DIR *lacking_fdopendir(int fd);

void *lacking_realloc(void *old, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : realloc(old, size);
}

char *lacking_strdup(const char *text)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : strdup(text);
}

DIR *lacking_fdopendir(int fd)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : fdopendir(fd);
}

static int drop(void **state)
{
    (void)state;
    (void)unlink("listed/link");
    (void)unlink("listed/.0<"); /* dir_remove() leaves what is hidden */
    dir_remove("listed/sub");
    dir_remove("listed");
    return 0;
}

static int make(void **state)
{
    char path[40];
    int fd;

    (void)drop(state);
    if (mkdir("listed", 0700) < 0 || mkdir("listed/sub", 0700) < 0 ||
        symlink("0", "listed/link") < 0)
        return -1;
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), "listed/%s%d<", i == 0 ? "." : "", i);
        fd = open(path, O_CREAT | O_WRONLY, 0600);
        if (fd < 0 || ftruncate(fd, i) < 0 || close(fd) < 0)
            return -1;
    }
    return 0;
}

/* The page; that the descriptor is closed is looked at each time. */
static char *page(size_t *len)
{
    int fd = open("listed", O_RDONLY | O_DIRECTORY);
    char *text;

    assert_true(fd >= 0);
    text = listing_make(fd, "/a/", len);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* What there is, sorted, but for what is hidden or a link. */
static void all_is_listed(void **state)
{
    size_t len = 0;
    char *text = page(&len);

    (void)state;
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    assert_int_equal(count(text, "<li>"), 1 + 1 + FILES - 1);
    assert_non_null(strstr(text, ">10&#60;</a> 10 bytes\n"));
    assert_non_null(strstr(text, "href=\"./sub/\""));
    assert_true(strstr(text, ">11&#60;<") < strstr(text, ">2&#60;<"));
    assert_null(strstr(text, "link"));
    assert_null(strstr(text, ".0"));
    free(text);
}

/* Each allocation lacks once: all of it is there, or nothing. */
static void nothing_is_passed_over(void **state)
{
    int fired = 1, gone = 0;
    long n;

    (void)state;
    for (n = 1; fired; n++) {
        size_t len = 0;
        char *text;

        fault_arm(FAULT_TOOL, n, 0);
        text = page(&len);
        fired = fault_disarm();
        assert_int_equal(text == NULL, fired);
        assert_true(text == NULL || count(text, "<li>") == FILES + 1);
        gone += text == NULL;
        free(text);
    }
    assert_true(gone > FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_listed),
        cmocka_unit_test(nothing_is_passed_over),
    };

    fault_init();
    return cmocka_run_group_tests(tests, make, drop);
}
