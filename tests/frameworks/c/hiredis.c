// SPDX-License-Identifier: Apache-2.0
// hiredis: replies of every kind, pipelines, and the asynchronous client on poll().
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int facts, failures;

static void fact(int holds, const char* name) {
  printf("%sok %d - %s\n", holds ? "" : "not ", ++facts, name);
  failures += !holds;
}

static int has_text(const redisReply* reply, int type, const char* text) {
  return reply && reply->type == type && reply->len == strlen(text) && !memcmp(reply->str, text, reply->len);
}

static void synchronous(redisContext* context) {
  freeReplyObject(redisCommand(context, "FLUSHALL"));
  redisReply* reply = redisCommand(context, "SET %s %b", "k", "a\0b", (size_t)3);
  fact(has_text(reply, REDIS_REPLY_STATUS, "OK"), "a status");
  freeReplyObject(reply);
  reply = redisCommand(context, "GET k");
  fact(reply && reply->type == REDIS_REPLY_STRING && reply->len == 3 && !memcmp(reply->str, "a\0b", 3),
       "bytes");
  freeReplyObject(reply);
  reply = redisCommand(context, "LPUSH k x");
  fact(reply && reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, "WRONGTYPE", 9), "an error");
  freeReplyObject(reply);
  reply = redisCommand(context, "EVAL %s 0", "return {1, {'a', false}, {}}");
  fact(reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
           reply->element[0]->integer == 1 && reply->element[1]->element[1]->type == REDIS_REPLY_NIL &&
           reply->element[2]->elements == 0,
       "nested arrays");
  freeReplyObject(reply);
}

static void pipelined(redisContext* context) {
  enum { kCount = 10000 };
  for (int i = 0; i < kCount; ++i) redisAppendCommand(context, "INCR n");
  int right = 0;
  for (int i = 0; i < kCount; ++i) {
    redisReply* reply = NULL;
    if (redisGetReply(context, (void**)&reply) != REDIS_OK) break;
    right += reply->type == REDIS_REPLY_INTEGER && reply->integer == i + 1;
    freeReplyObject(reply);
  }
  fact(right == kCount, "a pipeline of 10,000");
}

// What poll() must look for; hiredis says so through these four.
static short wanted;
static void add_read(void* unused) { (void)unused, wanted |= POLLIN; }
static void del_read(void* unused) { (void)unused, wanted &= ~POLLIN; }
static void add_write(void* unused) { (void)unused, wanted |= POLLOUT; }
static void del_write(void* unused) { (void)unused, wanted &= ~POLLOUT; }

static int answers, messages, disconnected;

static void on_answer(redisAsyncContext* context, void* reply, void* expected) {
  (void)context;
  redisReply* it = reply;
  answers += it && it->type == REDIS_REPLY_INTEGER && it->integer == (long)expected;
}

static void on_message(redisAsyncContext* context, void* reply, void* publisher) {
  redisReply* it = reply;
  if (!it || it->type != REDIS_REPLY_ARRAY) return;
  const char* kind = it->element[0]->str;
  if (!strcmp(kind, "subscribe")) {
    freeReplyObject(redisCommand(publisher, "PUBLISH c hello"));
  } else if (!strcmp(kind, "message")) {
    messages += has_text(it->element[2], REDIS_REPLY_STRING, "hello");
    redisAsyncCommand(context, NULL, NULL, "UNSUBSCRIBE");
  } else {
    redisAsyncDisconnect(context);
  }
}

static void on_disconnect(const redisAsyncContext* context, int status) {
  (void)context;
  disconnected = status == REDIS_OK ? 1 : -1;
}

static void run_until(redisAsyncContext* context, const int* value, int wanted_value) {
  const time_t deadline = time(NULL) + 20;
  while (!disconnected && *value != wanted_value && time(NULL) < deadline) {
    struct pollfd waiting = {.fd = context->c.fd, .events = wanted};
    if (poll(&waiting, 1, 1000) <= 0) continue;
    if (waiting.revents & (POLLIN | POLLERR | POLLHUP)) redisAsyncHandleRead(context);
    if (!disconnected && waiting.revents & POLLOUT) redisAsyncHandleWrite(context);
  }
}

static void asynchronous(redisContext* publisher, int port) {
  enum { kCount = 1000 };
  redisAsyncContext* context = redisAsyncConnect("127.0.0.1", port);
  context->ev.addRead = add_read, context->ev.delRead = del_read;
  context->ev.addWrite = add_write, context->ev.delWrite = del_write;
  redisAsyncSetDisconnectCallback(context, on_disconnect);
  wanted = POLLOUT;
  for (long i = 1; i <= kCount; ++i) redisAsyncCommand(context, on_answer, (void*)i, "RPUSH l x");
  run_until(context, &answers, kCount);
  fact(answers == kCount, "1,000 asynchronous commands");
  redisAsyncCommand(context, on_message, publisher, "SUBSCRIBE c");
  run_until(context, &disconnected, 1);
  fact(messages == 1, "a message");
  fact(disconnected == 1, "a clean end");
}

int main(void) {
  const int port = atoi(getenv("REDIS_PORT"));
  redisContext* context = redisConnectWithTimeout("127.0.0.1", port, (struct timeval){10, 0});
  if (!context || context->err) return 1;
  redisSetTimeout(context, (struct timeval){20, 0});
  synchronous(context);
  pipelined(context);
  asynchronous(context, port);
  redisFree(context);
  return failures != 0;
}
