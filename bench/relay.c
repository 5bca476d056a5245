/* The limit: what fan-out costs when nothing else is done.
 *
 *     relay PORT
 *
 * GET /r/N upgrades to a WebSocket in room N. Each message from a client is appended, as one frame, to what its room has
 * pending; once a turn of the loop each member gets all of it with one send(). No identity, no store, no recovery, no
 * bound on what a slow member holds. It answers one Sec-WebSocket-Key only: the one that the load sends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, ROOMS = 65536, EVENTS = 1024, CHUNK = 65536 };

struct buffer {
    char *data;
    size_t size, room;
};

struct connection {
    int room; /* -1 before the upgrade */
    int place; /* among the members of the room */
    struct buffer in, out;
};

struct room {
    int *members;
    int count, space, dirty;
    struct buffer pending;
};

static struct connection *connections[CONNECTIONS];
static struct room rooms[ROOMS];
static int dirty[ROOMS], dirty_count, loop;
static const char ANSWER[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void append(struct buffer *to, const void *data, size_t size) {
    if (to->size + size > to->room) {
        to->room = (to->size + size) * 2;
        to->data = realloc(to->data, to->room);
        if (to->data == NULL) abort();
    }
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void empty(struct buffer *one) {
    free(one->data);
    memset(one, 0, sizeof *one);
}

static void drop(int fd) {
    struct connection *one = connections[fd];
    if (one->room >= 0) {
        struct room *room = &rooms[one->room];
        int last = room->members[--room->count];
        room->members[one->place] = last;
        connections[last]->place = one->place;
    }
    empty(&one->in);
    empty(&one->out);
    free(one);
    connections[fd] = NULL;
    close(fd);
}

static void watch(int fd, int also_out) {
    struct epoll_event event = {.events = EPOLLIN | (also_out ? EPOLLOUT : 0), .data.fd = fd};
    epoll_ctl(loop, EPOLL_CTL_MOD, fd, &event);
}

/* Send now; what does not go waits in memory until the socket takes it. */
static void give(int fd, const char *data, size_t size) {
    struct connection *one = connections[fd];
    ssize_t sent = 0;
    if (one->out.size == 0) {
        sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if ((size_t)sent == size) return;
        if (sent < 0) sent = 0; /* what ails it is found when reading */
        watch(fd, 1);
    }
    append(&one->out, data + sent, size - sent);
}

static void drain(int fd) {
    struct connection *one = connections[fd];
    ssize_t sent = send(fd, one->out.data, one->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    one->out.size -= sent;
    memmove(one->out.data, one->out.data + sent, one->out.size);
    if (one->out.size == 0) watch(fd, 0);
}

static void enter(int fd, int number) {
    struct room *room = &rooms[number];
    if (room->count == room->space) {
        room->space = room->space * 2 + 16;
        room->members = realloc(room->members, room->space * sizeof(int));
        if (room->members == NULL) abort();
    }
    connections[fd]->room = number;
    connections[fd]->place = room->count;
    room->members[room->count++] = fd;
    give(fd, ANSWER, sizeof ANSWER - 1);
}

static void announce(int number, const unsigned char *payload, size_t size) {
    struct room *room = &rooms[number];
    unsigned char head[10] = {0x81};
    size_t length = 2;
    if (size < 126) {
        head[1] = size;
    } else if (size < 65536) {
        head[1] = 126, head[2] = size >> 8, head[3] = size & 255, length = 4;
    } else {
        head[1] = 127, length = 10;
        for (int i = 0; i < 8; i++) head[2 + i] = (uint64_t)size >> (56 - 8 * i);
    }
    append(&room->pending, head, length);
    append(&room->pending, payload, size);
    if (!room->dirty) room->dirty = 1, dirty[dirty_count++] = number;
}

/* Take whole messages from the front of data; returns how many bytes they were, or -1 where the client goes. */
static ssize_t take(int fd, unsigned char *data, size_t size) {
    struct connection *one = connections[fd];
    size_t at = 0;
    if (one->room < 0) {
        unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
        int number;
        if (end == NULL) return 0;
        if (sscanf((char *)data, "GET /r/%d ", &number) != 1 || number < 0 || number >= ROOMS) return -1;
        enter(fd, number);
        at = end - data + 4;
    }
    while (size - at >= 6) {
        unsigned char *frame = data + at;
        uint64_t length = frame[1] & 127;
        size_t head = 2;
        if (length == 126) length = frame[2] << 8 | frame[3], head = 4;
        else if (length == 127) return -1;
        if (size - at < head + 4 + length) break;
        unsigned char *key = frame + head, *payload = key + 4;
        for (uint64_t i = 0; i < length; i++) payload[i] ^= key[i & 3];
        if ((frame[0] & 15) == 8) return -1;
        if ((frame[0] & 15) == 1) announce(one->room, payload, length);
        at += head + 4 + length;
    }
    return at;
}

static void hear(int fd) {
    static unsigned char chunk[CHUNK];
    struct connection *one = connections[fd];
    ssize_t got = recv(fd, chunk, CHUNK, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        drop(fd);
        return;
    }
    unsigned char *data = chunk;
    size_t size = got;
    if (one->in.size > 0) {
        append(&one->in, chunk, got);
        data = (unsigned char *)one->in.data, size = one->in.size;
    }
    ssize_t taken = take(fd, data, size);
    if (taken < 0) {
        drop(fd);
    } else if (one->in.size > 0) {
        one->in.size -= taken;
        memmove(one->in.data, one->in.data + taken, one->in.size);
        if (one->in.size == 0) empty(&one->in);
    } else if ((size_t)taken < size) {
        append(&one->in, data + taken, size - taken);
    }
}

static void greet(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= CONNECTIONS || (connections[fd] = calloc(1, sizeof(struct connection))) == NULL) {
            close(fd);
            continue;
        }
        connections[fd]->room = -1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int count, char **words) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    if (count != 2) return 2;
    address.sin_port = htons(atoi(words[1]));
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        perror("relay");
        return 1;
    }
    loop = epoll_create1(0);
    event.data.fd = listener;
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(loop, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                greet(listener);
                continue;
            }
            if (events[i].events & EPOLLOUT) drain(fd);
            if (events[i].events & ~EPOLLOUT) hear(fd);
        }
        while (dirty_count > 0) {
            struct room *room = &rooms[dirty[--dirty_count]];
            room->dirty = 0;
            for (int i = 0; i < room->count; i++) give(room->members[i], room->pending.data, room->pending.size);
            room->pending.size = 0;
        }
    }
}
