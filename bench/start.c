/* Measures starts; bench/start calls it.
 *
 *   start RUNS EMPTY NAME=PATH=PROGRAM…    PATH is what is asked for, such as /health/liveness
 *
 * A start is fork and exec of PROGRAM with this process's environment and a PORT of its own, until GET PATH on it is answered
 * with 200: asked again and again, from the first moment on. EMPTY, a static program that does nothing, is forked, executed
 * and waited for. All take turns. Prints a line per name: the name, the median, the first and third quartile, in
 * microseconds; EMPTY's name is "empty". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WAYS = 16, PATIENCE_US = 20000000 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/* Below those that connections are given: asked for too early, one of these would connect to itself, and be taken. */
static int free_port(void) {
  for (int tries = 0; tries < 1000; tries++) {
    int port = 20000 + rand() % 12000, probe = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(port);
    int taken = bind(probe, (struct sockaddr *)&address, sizeof address);
    close(probe);
    if (!taken) return port;
  }
  fail("a free port");
  return 0;
}

/* Nothing is done between fork and exec but what keeps the program's log away. */
static pid_t start(const char *program) {
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid) return pid;
  int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, 0);
  dup2(nothing, 1);
  dup2(nothing, 2);
  execl(program, program, NULL);
  _exit(127);
}

/* 0 while nobody listens, else the status. */
static int ask(int port, const char *path) {
  char text[512];
  struct sockaddr_in address = loopback(port);
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
  if (client < 0) fail("socket");
  if (!connect(client, (struct sockaddr *)&address, sizeof address)) {
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    if (write(client, text, length) == length) {
      ssize_t got = read(client, text, sizeof text - 1);
      text[got > 0 ? got : 0] = 0;
      sscanf(text, "HTTP/1.1 %d", &status);
    }
  }
  close(client);
  return status;
}

static double time_empty(const char *program) {
  int status;
  double began = now_us();
  pid_t pid = start(program);
  if (waitpid(pid, &status, 0) != pid || status) fail("the empty program");
  return now_us() - began;
}

static double time_function(const char *name, const char *path, const char *program) {
  int port = free_port(), answered, status;
  char number[8];
  snprintf(number, sizeof number, "%d", port);
  setenv("PORT", number, 1);
  double began = now_us(), took;
  pid_t pid = start(program);
  while ((answered = ask(port, path)) != 200) {
    if (waitpid(pid, &status, WNOHANG) == pid || now_us() - began > PATIENCE_US) {
      fprintf(stderr, "%s: no 200 from %s, but %d\n", name, path, answered);
      kill(pid, SIGKILL);
      exit(1);
    }
    sched_yield();
  }
  took = now_us() - began;
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return took;
}

static int by_size(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return difference < 0 ? -1 : difference > 0;
}

int main(int count, char **arguments) {
  if (count < 4 || count - 3 > MOST_WAYS) {
    fprintf(stderr, "start: expected RUNS EMPTY NAME=PATH=PROGRAM…\n");
    return 2;
  }
  int runs = atoi(arguments[1]), ways = count - 2;
  double *took = calloc((size_t)ways * runs, sizeof *took);
  char *names[MOST_WAYS + 1] = {"empty"}, *paths[MOST_WAYS + 1], *programs[MOST_WAYS + 1] = {arguments[2]};
  if (!took || runs < 1) fail("RUNS");
  srand(getpid());
  for (int way = 1; way < ways; way++) {
    names[way] = strtok(arguments[way + 2], "=");
    paths[way] = strtok(NULL, "=");
    programs[way] = strtok(NULL, "");
  }
  /* The first round warms caches and doesn't count. */
  for (int run = -1; run < runs; run++)
    for (int way = 0; way < ways; way++) {
      double each = way ? time_function(names[way], paths[way], programs[way]) : time_empty(programs[way]);
      if (run >= 0) took[way * runs + run] = each;
    }
  for (int way = 0; way < ways; way++) {
    double *of = took + way * runs;
    qsort(of, runs, sizeof *of, by_size);
    printf("%s %.0f %.0f %.0f\n", names[way], of[runs / 2], of[runs / 4], of[runs * 3 / 4]);
  }
  return 0;
}
