#include "tandem_kernel.h"
