#include "tandem_table.h"
