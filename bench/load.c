// A crowd on one core: connects thousands of clients, lets some of them speak, counts what every one of them hears.
//
//   load KIND PORT PID CLIENTS SENDERS IN_FLIGHT RATE WARM_S SECONDS TEXT_BYTES [ROOMS]
//
// KIND is room (roombridge), udp (the same, but what it hears was said by datagrams from one socket), ws (a server that
// hands every text frame to all), sio (socket.io over WebSocket), nats or mqtt. With ROOMS the clients of a room sit in so
// many, by turns. Each of SENDERS keeps IN_FLIGHT messages on their way and says the next one when its own comes back;
// with a RATE (messages a second, all senders together) it speaks by the clock instead. Datagrams that are due together
// go by one call, which the kernel cuts (UDP_SEGMENT): one core sends a million a second then. When all are connected it prints
// "open" and waits for a line on its standard input. The answer is one JSON object; the server's CPU time is read from
// the kernel by its PID.
//
// A text begins with '^', which occurs nowhere else, then who said it and when, in hex. So a delivery costs one memchr,
// and the crowd is never what is measured: how long it was busy is in the answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM, WS, NATS, MQTT, UDP, SIO };
enum { CONNECTING, SHAKING, OPEN };
#define STAMP 21        // '^', 4 digits of who, 16 of when
#define CARRY 64        // what one read may leave for the next: less than a stamp or a frame's head
#define CONNECTING_MAX 64
#define QUIET_NS 300000000ull
#define PATIENCE_NS 3000000000ull
#define TOGETHER 64     // datagrams by one call, as many as the kernel cuts
#define SAMPLE 8        // the waiting time is taken at every eighth client

typedef struct {
  int fd, id, state, carried, detail;
  uint64_t left;        // payload of the current frame still to come
  char carry[CARRY];
} Client;

static int kind, port, clients, senders, in_flight, rate, text_bytes, rooms = 1, epfd, opened, going, datagrams, due;
static Client *all;
static char buffer[CARRY + (1 << 18)], message[1 << 17], together[65000];
static uint64_t delivered, sent, busy, histogram[64 * 32];

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  exit(1);
}

static void put(Client *c, const char *data, size_t size) {
  while (size) {
    ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      struct pollfd p = {c->fd, POLLOUT, 0};
      if (poll(&p, 1, 5000) < 1) die("the server takes nothing from client %d any more", c->id);
    } else if (n < 0) {
      die("client %d: %s", c->id, strerror(errno));
    } else {
      data += n;
      size -= n;
    }
  }
}

// A masked frame whose mask is nought: the payload stays as it is (RFC 6455 section 5.3 does not forbid it).
static int ws_head(char *out, size_t size) {
  out[0] = (char)0x81;
  int at = 2;
  if (size < 126) {
    out[1] = (char)(0x80 | size);
  } else {
    out[1] = (char)(0x80 | 126);
    out[at++] = (char)(size >> 8);
    out[at++] = (char)size;
  }
  memset(out + at, 0, 4);
  return at + 4;
}

static void send_together(void) {
  if (due && send(datagrams, together, due * text_bytes, 0) == due * text_bytes) sent += due;
  due = 0;
}

static void speak(Client *c, uint64_t when) {
  static char body[1 << 16], text[1 << 15];
  snprintf(text, sizeof text, "^%04x%016llx", c->id & 0xffff, (unsigned long long)when);
  memset(text + STAMP, 'x', text_bytes - STAMP);
  text[text_bytes] = 0;
  if (kind == UDP) {
    memcpy(together + due++ * text_bytes, text, text_bytes);
    if (due == TOGETHER || (due + 1) * text_bytes > (int)sizeof together) send_together();
    return;
  }
  int size, head = 0;
  if (kind == ROOM)
    size = snprintf(body, sizeof body, "{\"type\":\"say\",\"key\":\"%llu\",\"text\":\"%s\"}", (unsigned long long)sent, text);
  else if (kind == NATS)
    size = snprintf(body, sizeof body, "PUB b %d\r\n%s\r\n", text_bytes, text);
  else if (kind == MQTT) {
    int rest = 3 + text_bytes;  // topic's length, topic "b", payload
    body[0] = 0x30;
    size = 1;
    do body[size++] = (char)((rest & 127) | (rest > 127 ? 128 : 0)); while (rest >>= 7);
    size += sprintf(body + size, "%c%cb%s", 1, 1, text);
    body[size - text_bytes - 3] = 0;
  } else
    size = snprintf(body, sizeof body, kind == SIO ? "42[\"b\",\"%s\"]" : "%s", text);
  if (kind == ROOM || kind == WS || kind == SIO) head = ws_head(message, size);
  memcpy(message + head, body, size);
  sent++;
  put(c, message, head + size);
}

static uint64_t hex(const char *p, int digits) {
  uint64_t value = 0;
  for (; digits--; p++) value = value << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
  return value;
}

static void note(uint64_t ns) {
  int top = 63 - __builtin_clzll(ns | 32);
  histogram[top * 32 + ((ns >> (top - 5)) & 31)]++;
}

static double percentile(double part) {
  uint64_t total = 0, seen = 0;
  for (int i = 0; i < 64 * 32; i++) total += histogram[i];
  for (int i = 0; i < 64 * 32; i++) {
    seen += histogram[i];
    if (total && seen >= part * total) return (double)((32ull + i % 32 + 1) << (i / 32 - 5)) / 1e6;
  }
  return 0;
}

// Counts the stamps from p to end; returns where it stopped: at end, or at a stamp that is cut off there.
static char *hear(Client *c, char *p, char *end) {
  while ((p = memchr(p, '^', end - p))) {
    if (end - p < STAMP) return p;
    delivered++;
    if (c->detail) {
      uint64_t now = clock_ns(CLOCK_MONOTONIC), when = hex(p + 5, 16);
      if (c->id % SAMPLE == 0) note(now > when ? now - when : 0);
      if (going && !rate && c->id < senders && hex(p + 1, 4) == (uint64_t)(c->id & 0xffff)) speak(c, clock_ns(CLOCK_MONOTONIC));
    }
    p += STAMP;
  }
  return end;
}

// Frames without their heads; returns where it stopped.
static char *unframe(Client *c, char *p, char *end) {
  while (p < end) {
    if (!c->left) {
      int extra = end - p < 2 ? 0 : (p[1] & 127) == 126 ? 2 : (p[1] & 127) == 127 ? 8 : 0;
      if (end - p < 2 + extra) return p;
      if ((p[0] & 15) == 8) die("the server closed client %d", c->id);
      c->left = p[1] & 127;
      if (extra) {
        c->left = 0;
        for (int i = 0; i < extra; i++) c->left = c->left << 8 | (unsigned char)p[2 + i];
      }
      p += 2 + extra;
      continue;
    }
    char *stop = (uint64_t)(end - p) < c->left ? end : p + c->left;
    char *heard = hear(c, p, stop);
    c->left -= heard - p;
    p = heard;
    if (heard < stop) {
      if (stop < end) die("a stamp that a frame cuts off");
      return p;
    }
  }
  return p;
}

static void became_open(Client *c) {
  c->state = OPEN;
  opened++;
}

static const char *mqtt_connect(Client *c, int *size) {
  static char out[64];
  int n = sprintf(out + 14, "c%06d", c->id);
  memcpy(out, "\x10\x00\x00\x04MQTT\x04\x02\x00\x00\x00", 13);
  out[1] = (char)(12 + n);
  out[13] = (char)n;
  memcpy(out + 14 + n, "\x82\x06\x00\x01\x00\x01" "b" "\x00", 8);
  *size = 14 + n + 8;
  return out;
}

static const char *hello_nats = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB b 1\r\nPING\r\n";

static void greet(Client *c) {
  char out[512], path[64];
  int size;
  c->state = SHAKING;
  switch (kind) {
    case NATS:
      put(c, hello_nats, strlen(hello_nats));
      break;
    case MQTT: {
      const char *packet = mqtt_connect(c, &size);
      put(c, packet, size);
      break;
    }
    default:
      snprintf(path, sizeof path, "/r/bench-%d/ws?after=-1", c->id % rooms);
      size = sprintf(out,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     kind == SIO ? "/socket.io/?EIO=4&transport=websocket" : kind == WS ? "/" : kind == ROOM ? path : "/r/lobby/ws?after=-1", port);
      put(c, out, size);
  }
}

// Where the handshake ends in what came, or NULL while it has not.
static char *shaken(char *p, char *end) {
  char *at;
  switch (kind) {
    case NATS: return (at = memmem(p, end - p, "PONG\r\n", 6)) ? at + 6 : NULL;
    case MQTT:  // CONNACK, 4 bytes, then SUBACK, 5 bytes, together or apart
      if (*p == 0x20) p += 4;
      return end - p >= 5 ? p + 5 : NULL;
    case SIO: return (at = memmem(p, end - p, "40{", 3)) ? end : NULL;  // nobody speaks before all are in
    default: return (at = memmem(p, end - p, "\r\n\r\n", 4)) ? at + 4 : NULL;
  }
}

static void readable(Client *c) {
  char *start = buffer + CARRY - c->carried;
  ssize_t n = recv(c->fd, buffer + CARRY, sizeof buffer - CARRY, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) die("client %d lost its server: %s", c->id, n ? strerror(errno) : "closed");
  char *end = buffer + CARRY + n;
  if (c->state == SHAKING) {
    char *rest = shaken(buffer + CARRY, end);
    if (!rest) {
      if (kind == SIO && memmem(buffer + CARRY, n, "0{", 2)) put(c, "\x81\x82\0\0\0\00040", 8);  // it is open: let me in
      if (kind == NATS || kind == MQTT || kind == SIO) return;  // INFO comes before PONG, CONNACK before SUBACK
      die("client %d: a handshake in pieces", c->id);
    }
    if (kind != NATS && kind != MQTT && kind != SIO && !memmem(buffer + CARRY, rest - buffer - CARRY, " 101 ", 5))
      die("client %d was refused: %.*s", c->id, (int)(rest - buffer - CARRY), buffer + CARRY);
    became_open(c);
    start = rest;
  } else {
    memcpy(start, c->carry, c->carried);
  }
  char *stop = kind == NATS || kind == MQTT ? hear(c, start, end) : unframe(c, start, end);
  c->carried = (int)(end - stop);
  memcpy(c->carry, stop, c->carried);
}

static struct sockaddr_in to;

static void start_connecting(Client *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket: %s", strerror(errno));
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect: %s", strerror(errno));
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
  epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &event);
}

// Everything that is ready; a NULL is the standard input. Returns whether a line came there.
static int turn(int wait_ms) {
  static struct epoll_event events[512];
  int line = 0, n = epoll_wait(epfd, events, 512, wait_ms);
  uint64_t began = n > 0 ? clock_ns(CLOCK_MONOTONIC) : 0;
  for (int i = 0; i < n; i++) {
    Client *c = events[i].data.ptr;
    if (!c) {
      char word[64];
      line = 1;
      if (read(0, word, sizeof word) <= 0) exit(1);  // whoever started us is gone
    } else if (c->state == CONNECTING) {
      struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
      epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &event);
      greet(c);
    } else {
      readable(c);
    }
  }
  if (n > 0) busy += clock_ns(CLOCK_MONOTONIC) - began;
  return line;
}

static void speak_by_the_clock(uint64_t began, uint64_t now) {
  static uint64_t said;
  for (uint64_t by_now = (now - began) * rate / 1000000000u; said < by_now; said++)
    speak(&all[kind == UDP ? 0 : said % senders], began + (said + 1) * 1000000000u / rate);  // from when it should have been said
}

int main(int count, char **words) {
  static const char *kinds[] = {"room", "ws", "nats", "mqtt", "udp", "sio"};
  if (count < 11) die("usage: load KIND PORT PID CLIENTS SENDERS IN_FLIGHT RATE WARM_S SECONDS TEXT_BYTES [ROOMS]");
  for (kind = 0; kind < 6 && strcmp(kinds[kind], words[1]); kind++);
  port = atoi(words[2]);
  clients = atoi(words[4]);
  senders = atoi(words[5]);
  in_flight = atoi(words[6]);
  rate = atoi(words[7]);
  double warm = atof(words[8]), seconds = atof(words[9]);
  text_bytes = atoi(words[10]);
  if (count > 11) rooms = atoi(words[11]);
  clockid_t server;
  if (clock_getcpuclockid(atoi(words[3]), &server)) die("no process %s", words[3]);
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  connect(datagrams, (struct sockaddr *)&to, sizeof to);
  if (kind == UDP && setsockopt(datagrams, IPPROTO_UDP, UDP_SEGMENT, &text_bytes, sizeof text_bytes)) die("UDP_SEGMENT: %s", strerror(errno));
  all = calloc(clients + 1, sizeof *all);
  epfd = epoll_create1(0);

  for (int next = 0; opened < clients;) {
    while (next < clients && next - opened < CONNECTING_MAX) {
      all[next].id = next;
      all[next].detail = next < senders || next % SAMPLE == 0;
      start_connecting(&all[next++]);
    }
    turn(1000);
  }
  puts("open");
  fflush(stdout);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epfd, EPOLL_CTL_ADD, 0, &event);
  while (!turn(1000));
  epoll_ctl(epfd, EPOLL_CTL_DEL, 0, NULL);

  uint64_t began = clock_ns(CLOCK_MONOTONIC), from = began + (uint64_t)(warm * 1e9);
  uint64_t until = from + (uint64_t)(seconds * 1e9), now;
  uint64_t cpu = 0, own = 0, counted = 0, said = 0, started = 0;
  going = 1;
  if (!rate)
    for (int i = 0; i < senders; i++)
      for (int j = 0; j < in_flight; j++) speak(&all[i], clock_ns(CLOCK_MONOTONIC));
  while ((now = clock_ns(CLOCK_MONOTONIC)) < until || !started) {  // however late a busy machine lets us begin
    if (!started && now >= from) {
      started = now;
      until = now + (uint64_t)(seconds * 1e9);
      cpu = clock_ns(server);
      own = busy;
      counted = delivered;
      said = sent;
      memset(histogram, 0, sizeof histogram);
    }
    if (rate) speak_by_the_clock(began, now);
    send_together();
    turn(0);  // never asleep: browsers are elsewhere, and no server pays for waking them
  }
  double length = (now - started) / 1e9, used = (clock_ns(server) - cpu) / 1e9, own_used = (busy - own) / 1e9;
  uint64_t said_then = sent - said, heard_then = delivered - counted;
  double half = percentile(0.5), nearly = percentile(0.95), most = percentile(0.99);
  going = 0;  // nobody says anything any more: what is still on its way comes now, or it is lost
  for (uint64_t last = delivered, quiet = now; now - quiet < QUIET_NS && now - until < PATIENCE_NS;) {
    turn(10);
    now = clock_ns(CLOCK_MONOTONIC);
    if (delivered != last) last = delivered, quiet = now;
  }
  printf("{\"seconds\":%.3f,\"sent\":%llu,\"deliveries\":%llu,\"server_cpu\":%.4f,\"own_cpu\":%.4f,\"p50_ms\":%.2f,"
         "\"p95_ms\":%.2f,\"p99_ms\":%.2f,\"sent_in_all\":%llu,\"lost\":%lld}\n",
         length, (unsigned long long)said_then, (unsigned long long)heard_then, used, own_used, half, nearly, most,
         (unsigned long long)sent, (long long)(clients ? sent - delivered * rooms / clients : 0));
  return 0;
}
