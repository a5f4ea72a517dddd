/* placeholder until the scheduler lands */
#pragma once
struct sched {
	int nothing;
};
