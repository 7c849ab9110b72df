#ifndef TANDEM_OPS_H
#define TANDEM_OPS_H

#include "tandem.h"

#endif
