#ifndef TANDEM_KERNEL_H
#define TANDEM_KERNEL_H

#include <stdint.h>

#include "tandem.h"

char *libtandem_invoke(uint32_t operation, tandem_client *c, const char *args_json);

#endif
