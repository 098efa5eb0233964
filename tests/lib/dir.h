/* dir - a directory of a test's own goes with what is in it. */
#ifndef TEST_DIR_H
#define TEST_DIR_H

/* With its files and empty directories; it need not be there. */
void dir_remove(const char *name);

#endif
