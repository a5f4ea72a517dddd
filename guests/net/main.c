/* main.c: the net service: the switch between guests, and the NICs. */
#include "guests/lib/bh.h"
#include "service.h"

int main(unsigned vcpu)
{
	if (vcpu != 0)
		return 0;
	service_start((const struct bh_network_records *)BH_GPA_SERVICE);
	for (;;)
		service_turn();
}
