/* hostile - chains that are made to cost much, and what they cost. */
#ifndef BENCH_HOSTILE_H
#define BENCH_HOSTILE_H

/* One line for each: CPU time of one verification, memory that it took. */
void hostile_run(void);

#endif
