#include "cadb.h"
