/* Leaks on purpose: shows that the checks for leaks can fail. */
#include <mfn.h>

static void leak(void)
{
    mfn_sim *sim = 0;
    mfn_sim_create_json("{}", &sim, 0);
}

int main(void)
{
    leak();
    return mfn_live_handles() != 1;
}
