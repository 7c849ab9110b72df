/* The log as events of operation 0, and as a function of the process. */
#include "client.h"

static atomic_int records[5], bad;

static void on_record(void *ud, int32_t level, const char *record)
{
    (void)ud;
    if (level >= 1 && level <= 4)
        atomic_fetch_add(&records[level], 1);
    if (level < 1 || level > 4 || strstr(record, "\"message\"") == NULL || record[0] != '{')
        atomic_fetch_add(&bad, 1);
}

static void count_drop(void *ud)
{
    *(int *)ud += 1;
}

static void a_run(tandem_client *c)
{
    const char *session = new_session(c);

    follow(c, session, start_run(c, session, "hi"));
}

static void events(const char *level, int highest)
{
    tandem_client *c = opened(text("{\"discover\":false,\"log_level\":\"%s\"}", level));
    int logs = 0, wrong = 0;

    a_run(c);
    for (const char *batch; *at(batch = keep(tandem_next(c, 0, 50)), "/ok/0/type") != 0;)
        for (int i = 0; *at(batch, text("/ok/%d/type", i)) != 0; i++) {
            int is_log = strcmp(at(batch, text("/ok/%d/type", i)), "log") == 0;
            long long how = number_at(batch, text("/ok/%d/properties/level", i));
            logs += is_log;
            wrong += is_log && (number_at(batch, text("/ok/%d/op", i)) != 0 || how < 1 || how > highest ||
                                *at(batch, text("/ok/%d/properties/message", i)) == 0);
        }
    CHECK_INT(text("log_level %s: records of operation 0, none above it", level), 0, wrong);
    if (highest == 0)
        CHECK_INT("log_level none: no records", 0, logs);
    if (highest == 4)
        CHECK("log_level debug: there are records", logs > 0);
    tandem_close(c, -1);
}

int main(void)
{
    int dropped = 0;

    begin(60);
    events("none", 0);
    events("error", 1);
    events("warning", 2);
    events("info", 3);
    events("debug", 4);

    CHECK_INT("set_log", TANDEM_OK, tandem_set_log(on_record, &dropped, count_drop, 4));
    tandem_client *a = echo_client(), *b = echo_client();
    a_run(a);
    int of_one = atomic_load(&records[3]) + atomic_load(&records[4]);
    a_run(b);
    CHECK("set_log is the process's: one client", of_one > 0);
    CHECK("and another", atomic_load(&records[3]) + atomic_load(&records[4]) > of_one);
    CHECK_INT("each record has a level and a message", 0, atomic_load(&bad));
    CHECK_INT("level 0", TANDEM_OK, tandem_set_log(on_record, &dropped, count_drop, 0));
    CHECK_INT("the one before dropped", 1, dropped);
    int before = atomic_load(&records[3]) + atomic_load(&records[4]);
    a_run(a);
    CHECK_INT("makes no records", before, atomic_load(&records[3]) + atomic_load(&records[4]));
    CHECK_INT("set_log with a bad level", TANDEM_E_ARGS, tandem_set_log(on_record, &dropped, count_drop, 5));
    CHECK_INT("drops its own", 2, dropped);
    CHECK_INT("set_log NULL", TANDEM_OK, tandem_set_log(NULL, NULL, NULL, 0));
    CHECK_INT("drops the last", 3, dropped);
    tandem_close(a, -1);
    tandem_close(b, -1);
    return finish();
}
