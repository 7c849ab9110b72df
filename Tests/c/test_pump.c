/* Pump and next. */
#include "client.h"

static tandem_client *c;

static int order[8], ordered;

static void note_done(void *ud, uint64_t op, const char *event)
{
    (void)op;
    if (strstr(event, "\"done\"") != NULL && ordered < 8)
        order[ordered++] = (int)(intptr_t)ud;
}

/* Submits engine.health and waits until it is over: nothing pumps meanwhile. */
static void health(tandem_event_fn fn, int mark)
{
    tandem_stream(c, "engine.health", text("{\"$tag\":%d}", mark), fn, (void *)(intptr_t)mark, NULL, NULL);
    settled(c);
}

static void counting(void)
{
    CHECK_INT("nothing is there", 0, tandem_pump(c, 0, 0));
    long long began = now_ms();
    CHECK_INT("time runs out", 0, tandem_pump(c, 0, 150));
    CHECK("not before", now_ms() - began >= 145);
    for (int i = 1; i <= 4; i++)
        health(note_done, i);
    CHECK_INT("at most so many", 1, tandem_pump(c, 1, 1000));
    CHECK_INT("the oldest", 1, ordered == 1 ? order[0] : -1);
    CHECK_INT("again", 2, tandem_pump(c, 2, 1000));
    CHECK_INT("all that is queued, of 0", 1, tandem_pump(c, 0, 1000));
    CHECK("in order", ordered == 4 && order[1] == 2 && order[2] == 3 && order[3] == 4);
    health(note_done, 5);
    health(note_done, 6);
    CHECK_INT("all that is queued, of -1", 2, tandem_pump(c, -1, -1));
}

static void waking(void)
{
    long long began = now_ms();

    CHECK_INT("wake", TANDEM_OK, tandem_wake(c));
    CHECK_INT("a wake is sticky", 0, tandem_pump(c, 0, 20000));
    CHECK("and ends the wait at once", now_ms() - began < 2000);
    began = now_ms();
    CHECK_INT("it is used up", 0, tandem_pump(c, 0, 100));
    CHECK("by one wait", now_ms() - began >= 95);
    tandem_wake(c);
    tandem_wake(c);
    CHECK_TEXT("next is woken too", "{\"ok\":[]}", keep(tandem_next(c, 0, 20000)));
    CHECK_TEXT("next of nothing", "{\"ok\":[]}", keep(tandem_next(c, 0, 0)));
}

static void batches(void)
{
    ordered = 0;
    health(NULL, 1);
    health(NULL, 2);
    health(note_done, 3);
    health(NULL, 4);
    CHECK_INT("pump leaves what no callback claims", 1, tandem_pump(c, 0, 0));
    ordered = 0;
    health(note_done, 5);
    health(NULL, 6);
    const char *batch = keep(tandem_next(c, 1, 1000));
    CHECK_TEXT("next gives at most so many", "1", at(batch, "/ok/0/tag"));
    CHECK_TEXT("and no more", "", at(batch, "/ok/1"));
    batch = keep(tandem_next(c, 0, 1000));
    CHECK_TEXT("a batch goes on", "2", at(batch, "/ok/0/tag"));
    CHECK_TEXT("past what was pumped", "4", at(batch, "/ok/1/tag"));
    CHECK_TEXT("and ends before a callback's event", "", at(batch, "/ok/2"));
    CHECK_INT("which has not run", 0, ordered);
    for (int i = 0; i < 5 && strcmp(at(batch, "/ok/0/tag"), "6") != 0; i++)
        batch = keep(tandem_next(c, 0, 1000));
    CHECK_TEXT("what is behind it comes later", "6", at(batch, "/ok/0/tag"));
    CHECK_INT("after the callback", 1, ordered);
    CHECK_INT("nothing is left", 0, tandem_pump(c, 0, 0));
}

static void *pump_forever(void *result)
{
    *(int32_t *)result = tandem_pump(c, 0, -1);
    return NULL;
}

static void one_pumper(void)
{
    pthread_t thread;
    int32_t result = 99;

    pthread_create(&thread, NULL, pump_forever, &result);
    int32_t second = 0;
    for (long long end = now_ms() + 10000 * slowness(); second == 0 && now_ms() < end; nap(1))
        second = tandem_pump(c, 0, 0); /* until the other has begun there is nothing to do, and 0 is that */
    CHECK_INT("R4 a second pump is busy", TANDEM_E_BUSY, second);
    CHECK_ERROR("R4 a second next is busy", "busy", keep(tandem_next(c, 0, 0)));
    CHECK_OK("R4 a call is not", keep(tandem_call(c, "engine.health", NULL)));
    tandem_wake(c);
    pthread_join(thread, NULL);
    CHECK_INT("wake ends the other's pump", 0, result);
    CHECK_INT("R4 then it is free again", 0, tandem_pump(c, 0, 0));
}

int main(void)
{
    begin(60);
    c = echo_client();
    counting();
    waking();
    batches();
    one_pumper();
    tandem_close(c, -1);
    return finish();
}
