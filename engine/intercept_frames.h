/* intercept_frames - a program in the middle: what it is told and what it says,
 * as frames on its stdin and stdout.
 *
 * A frame is one letter, the length of what follows in four bytes, the highest
 * first, and that. To the program: "i" once, a JSON object about the
 * connection; "c" bytes from the client, "s" bytes from the server; "C" and
 * "S", empty: that side has ended. From the program: "c", bytes for the server
 * in place of the client's; "s", bytes for the client; "C" and "S". What it
 * keeps back does not arrive. Knows channels; does no I/O. */
#ifndef ENGINE_INTERCEPT_FRAMES_H
#define ENGINE_INTERCEPT_FRAMES_H

#include "chan.h"

#include <stdint.h>

#define FRAME_HEAD 5
#define FRAME_MOST 16777216 /* of the program's; ours are far smaller */

struct frames {
    char kind;     /* of the frame that is being read; 0: none */
    uint32_t left; /* bytes of it that are to come */
    int said_over[2]; /* to the program: server's side, client's side */
};

/* What a side has sent, and its end, into frames: 1 something moved. */
int frames_put(struct frames *f, int from_client, struct chan *from,
               struct chan *to);
/* The first frame. -1: too long. */
int frames_hello(const char *json, struct chan *to);
/* What the program says, to where it belongs: 1 something moved, 0 not now,
 * -1: that is no frame. */
int frames_take(struct frames *f, struct chan *from, struct chan *to_server,
                struct chan *to_client);

#endif
