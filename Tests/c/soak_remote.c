/*
 * Runs of a remote engine while the way to it fails all the time (Tests/tools/faulty_runs.py): each ends once, with its
 * whole text or a word on why not, and memory, descriptors and threads stay as they are. Part of scripts/check-deep.
 * Arguments: rounds of eight runs, and the seed of the faults (400 1).
 */
#include <malloc.h>

#include "engine.h"
#include "sample.h"

enum { AT_ONCE = 8, MOST_KEPT = 40, REST_MS = 70000 };

static struct run {
    char text[1 << 17];
    int pieces, ends, dones, drops, lost;
    char status[16], error[32];
} runs[AT_ONCE];
static int done_count, completed, interrupted, others, lost_texts, bad_texts, bad_ends;

static void on_event(void *ud, uint64_t op, const char *event)
{
    struct run *run = ud;
    char *type = tandem_get(event, "/type");

    (void)op;
    run->ends += strncmp(type, "run.", 4) == 0 && strcmp(type, "run.started") != 0 && strcmp(type, "run.usage") != 0;
    run->pieces += strcmp(type, "session.response") == 0;
    if (strcmp(type, "done") == 0) {
        char *text = tandem_get(event, "/result/ok/text"), *status = tandem_get(event, "/result/ok/status");
        char *error = tandem_get(event, status == NULL ? "/result/error/name" : "/result/ok/error/name");
        char *missing = tandem_get(event, "/result/ok/missing");
        snprintf(run->text, sizeof run->text, "%s", text == NULL ? "" : text);
        snprintf(run->status, sizeof run->status, "%s", status == NULL ? "none" : status);
        snprintf(run->error, sizeof run->error, "%s", error == NULL ? "" : error);
        run->lost = missing != NULL && strstr(missing, "\"text\"") != NULL;
        run->dones++;
        tandem_free(text), tandem_free(status), tandem_free(error), tandem_free(missing);
    }
    tandem_free(type);
}

static void on_drop(void *ud)
{
    ((struct run *)ud)->drops++;
    done_count++;
}

/* Whether a text is "0 1 2 ... n-1 ". */
static int is_whole(const char *text, int n)
{
    for (int i = 0; i < n; i++) {
        char *end;
        if (strtol(text, &end, 10) != i || end == text || *end != ' ')
            return 0;
        text = end + 1;
    }
    return *text == 0;
}

static int length(int round, int i)
{
    return i == 0 && round % 8 == 0 ? 5000 : 1 + (round * 37 + i * 101) % 400;
}

static void judge(const struct run *run, int n)
{
    int is_good = is_whole(run->text, n);

    bad_ends += run->dones != 1 || run->drops != 1;
    if (strcmp(run->status, "completed") == 0) {
        completed++;
        lost_texts += run->lost;
        bad_texts += !is_good && !run->lost;
        bad_ends += run->ends != 1;
    } else if (strcmp(run->error, "interrupted") == 0) {
        interrupted++;
    } else if (others++ < 5) {
        printf("a run ended with %s %s\n", run->status, run->error);
    }
}

static void round_of_runs(tandem_client *c, int round)
{
    char args[256];

    memset(runs, 0, sizeof runs);
    done_count = 0;
    for (int i = 0; i < AT_ONCE; i++) {
        snprintf(args, sizeof args, "{\"session_id\":\"s%d\",\"prompt\":\"say %d\",\"fold\":%s,\"$timeout_ms\":120000}", i,
                 length(round, i), i % 4 == 1 ? "true" : "false");
        if (tandem_stream(c, "sessions.run", args, on_event, &runs[i], on_drop, NULL) == 0)
            done_count++;
    }
    for (long long end = now_ms() + 180000; done_count < AT_ONCE && now_ms() < end;)
        tandem_pump(c, 0, 1000);
    for (int i = 0; i < AT_ONCE; i++)
        judge(&runs[i], length(round, i));
}

/* A client keeps the runs of the last minute, and malloc what was in use once. */
static struct sample rested(tandem_client *c, const char *when)
{
    for (long long end = now_ms() + REST_MS; now_ms() < end;)
        tandem_pump(c, 0, 1000);
    malloc_trim(0);
    return sample(when);
}

static struct engine faulty_engine(const char *seed)
{
    struct engine engine = {.output = tool("faulty_runs.py", seed)};

    if (engine.output == NULL || fscanf(engine.output, "%d %d", &engine.pid, &engine.port) != 2) {
        printf("FAILED the engine does not start\n");
        exit(1);
    }
    return engine;
}

int main(int count, char **words)
{
    int rounds = count > 1 ? atoi(words[1]) : 400;
    struct engine engine = faulty_engine(count > 2 ? words[2] : "1");
    struct sample first = sample("at first"), before = first;
    tandem_client *c = engine_client(&engine, "");
    struct run all = {0};

    if (tandem_stream(c, "engine.global_stream", NULL, on_event, &all, on_drop, NULL) == 0)
        printf("FAILED no stream of everything\n");
    for (int round = 0; round < rounds; round++) {
        if (round == rounds / 8)
            before = rested(c, "an eighth of the rounds");
        if (round % 50 == 0)
            sample(text("round %d", round));
        round_of_runs(c, round);
    }
    struct sample after = rested(c, "all rounds");
    CHECK(text("faults: memory grew by %ld KiB", after.kilobytes - before.kilobytes), after.kilobytes - before.kilobytes <= 4096);
    CHECK_INT("faults: no thread more", before.threads, after.threads);
    CHECK("faults: not more descriptors than connections that are kept", after.fds <= first.fds + MOST_KEPT);
    printf("%d completed, %d interrupted, %d others; %d texts are said to be incomplete\n", completed, interrupted, others, lost_texts);
    printf("%s\n", keep(tandem_stats(c)));
    CHECK_INT("every run ended once", 0, bad_ends);
    CHECK_INT("every text is whole, or said not to be", 0, bad_texts);
    CHECK_INT("no run ended with another error", 0, others);
    CHECK("most runs were completed", completed > rounds * AT_ONCE / 2);
    CHECK("the stream of everything goes on", all.dones == 0);
    CHECK_INT("the client closes", TANDEM_OK, tandem_close(c, -1));
    CHECK_INT("no descriptor is left", first.fds, fds_now());
    CHECK_INT("no thread is left", first.threads, threads_settled(first.threads));
    engine_ended(&engine);
    return finish();
}
