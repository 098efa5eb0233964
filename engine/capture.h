/* capture - connections as a pcapng file that Wireshark decrypts by itself: the
 * records of TLS in TCP made up around them, and the secrets beside them.
 *
 * Each block is in the file as soon as its write returns: whoever is killed
 * leaves a file that can be read. What came is held until the next event of its
 * connection, since its secrets are known only after it: they have to be in
 * front of it. Safe for threads. Knows sockets' addresses and bytes; nothing of
 * TLS but the names of secrets. */
#ifndef ENGINE_CAPTURE_H
#define ENGINE_CAPTURE_H

#include <stddef.h>
#include <sys/socket.h>

struct capture;
struct capture_flow;

/* Into an empty file, which is taken over in all outcomes. NULL: no memory. */
struct capture *capture_open(int fd);
/* 0, or the errno of what failed first: the file ends before that. All flows
 * have to be ended. */
int capture_close(struct capture *c);
/* A connection between two addresses, AF_INET or AF_INET6; where one is NULL,
 * of another family or of another one than its peer's, both are made up. Begins
 * with TCP's handshake. NULL: no memory. */
struct capture_flow *capture_flow_new(struct capture *c,
                                      const struct sockaddr *client,
                                      const struct sockaddr *server);
/* Bytes of one direction. received: secrets that open them may follow. */
void capture_flow_bytes(struct capture_flow *f, int from_client, int received,
                        const void *bytes, size_t len);
/* A line as of SSLKEYLOGFILE, without its end, of this connection. */
void capture_flow_key(struct capture_flow *f, const char *line);
/* The connection is over; f is freed, NULL is a no-op. */
void capture_flow_end(struct capture_flow *f);

#endif
