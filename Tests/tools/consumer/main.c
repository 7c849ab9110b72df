/* Built by the tests against an installed copy, by pkg-config and by CMake. */
#include <stdio.h>
#include <tandem.h>

int main(void)
{
    tandem_client *c = tandem_open("{\"discover\":false}", NULL);
    char *session = tandem_sessions_create(c, "{\"title\":\"installed\"}");
    int32_t status = tandem_status(session);

    puts(status == TANDEM_OK ? "installed copy works" : session);
    tandem_free(session);
    return status != TANDEM_OK || tandem_close(c, -1) != TANDEM_OK;
}
