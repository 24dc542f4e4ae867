/* `isobar`, the command line of the gateway. */
#include "run.h"

int main(int argc, char **argv)
{
    return run_main(argc, argv);
}
