/* The stand-in engine for C tests: a Python program, so these tests do not run under valgrind. */
#ifndef ENGINE_H
#define ENGINE_H

#include "client.h"

#define ENGINE_TOKEN "secret"

struct engine {
    FILE *output;
    int pid, port;
};

/* A Python program of the tests; its output, to be read, begins with its process id. */
UNUSED static FILE *tool(const char *program, const char *arguments)
{
    const char *root = getenv("TANDEM_TEST_ROOT");

    return popen(text("echo $$; exec python3 %s/Tests/tools/%s %s", root == NULL ? "." : root, program, arguments), "r");
}

/* options: further ones of its command line, or "". */
UNUSED static struct engine engine_started_with(const char *options)
{
    struct engine engine = {.output = tool("standin_engine.py", text("--port 0 --token " ENGINE_TOKEN " %s", options))};

    if (engine.output == NULL || fscanf(engine.output, "%d %d", &engine.pid, &engine.port) != 2) {
        printf("FAILED the stand-in engine does not start\n");
        exit(1);
    }
    return engine;
}

UNUSED static struct engine engine_started(void)
{
    return engine_started_with("");
}

/* A client of it; extra: further options, each with a comma before it, or "". */
UNUSED static tandem_client *engine_client(const struct engine *engine, const char *extra)
{
    return opened(text("{\"url\":\"http://127.0.0.1:%d\",\"token\":\"" ENGINE_TOKEN "\"%s}", engine->port, extra));
}

UNUSED static void engine_ended(struct engine *engine)
{
    kill(engine->pid, SIGTERM);
    pclose(engine->output);
}

#endif
