/*
 * A state's files with other bytes in them: four bytes each, three of them the place, the last what stands there. Opening
 * is refused or works, and then everything is answered.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { LARGEST = 1 << 20 };

static struct file {
    char name[64];
    char *bytes;
    size_t size;
} files[8];
static int file_count;

static const char *in(const char *folder, const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* What is stored is not checked when it is read: a text that another byte stands in may come out as it is. */
static void require_answer(char *result, const char *of)
{
    REQUIRE(result != NULL && (strncmp(result, "{\"ok\"", 5) == 0 || strncmp(result, "{\"error\"", 8) == 0), "%s", of);
    tandem_free(result);
}

static void run(tandem_client *c)
{
    char arguments[256], *made = tandem_call(c, "sessions.create", NULL), *id = tandem_get(made, "/ok/id");

    if (id != NULL) {
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\",\"prompt\":\"hi\",\"$timeout_ms\":5000}", id);
        require_answer(tandem_call(c, "sessions.run", arguments), "a run");
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\"}", id);
        require_answer(tandem_call(c, "sessions.messages", arguments), "messages");
    }
    tandem_free(id);
    require_answer(made, "create");
}

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count, (void)words;
    mkdir("made", 0700);
    tandem_client *c = require_client("{\"discover\":false,\"state\":\"made\"}");
    run(c);
    tandem_free(tandem_call(c, "providers.set_defaults", "{\"default_provider\":\"local\",\"default_model\":\"echo-1\"}"));
    REQUIRE(tandem_close(c, -1) == TANDEM_OK, "no close");
    DIR *d = opendir("made");
    for (struct dirent *e; (e = readdir(d)) != NULL && file_count < 8;) {
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(in("made", e->d_name), "rb");
        if (f == NULL)
            continue;
        struct file *file = &files[file_count++];
        snprintf(file->name, sizeof file->name, "%s", e->d_name);
        file->bytes = malloc(LARGEST);
        file->size = fread(file->bytes, 1, LARGEST, f);
        fclose(f);
    }
    closedir(d);
    REQUIRE(file_count > 0, "no files");
    return 0;
}

/* The largest file is the database; places count through it. */
static void put_files(const uint8_t *data, size_t size)
{
    mkdir("state", 0700);
    DIR *d = opendir("state");
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        unlink(in("state", e->d_name));
    closedir(d);
    for (int i = 0; i < file_count; i++) {
        FILE *f = fopen(in("state", files[i].name), "wb");
        char *copy = malloc(files[i].size + 1);
        memcpy(copy, files[i].bytes, files[i].size);
        for (size_t at = 0; files[i].size > 1000 && at + 4 <= size; at += 4)
            copy[((size_t)data[at] << 16 | (size_t)data[at + 1] << 8 | data[at + 2]) % files[i].size] = (char)data[at + 3];
        fwrite(copy, 1, files[i].size, f);
        fclose(f);
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *error = NULL;

    put_files(data, size);
    tandem_client *c = tandem_open("{\"discover\":false,\"state\":\"state\"}", &error);
    REQUIRE((c == NULL) == (error != NULL), "an error or a client");
    if (c == NULL) {
        require_result(error, "open");
        return 0;
    }
    char *listed = tandem_call(c, "sessions.list", "{\"scope\":\"global\"}"), *id = tandem_get(listed, "/ok/0/id"), arguments[512];
    snprintf(arguments, sizeof arguments, "{\"session_id\":\"%.200s\"}", id == NULL ? "" : id);
    tandem_free(tandem_call(c, "sessions.get", arguments));
    tandem_free(tandem_call(c, "sessions.messages", arguments));
    tandem_free(tandem_call(c, "providers.catalog", NULL));
    tandem_free(tandem_call(c, "config.get", NULL));
    tandem_free(id);
    require_answer(listed, "list");
    run(c);
    REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "the client does not close");
    return 0;
}
