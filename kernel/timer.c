#include "timer.h"

static void timer_remove(struct timer_queue *queue, struct timer *timer)
{
	struct timer **link = &queue->first;

	while (*link && *link != timer)
		link = &(*link)->next;
	if (*link)
		*link = timer->next;
}

static void timer_insert(struct timer_queue *queue, struct timer *timer)
{
	struct timer **link = &queue->first;

	while (*link && (*link)->deadline <= timer->deadline)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
}

static void timer_update(struct timer_queue *queue)
{
	queue->next = queue->first ? queue->first->deadline : TIMER_NEVER;
}

void timer_set(struct timer_queue *queue, struct timer *timer, uint64_t deadline)
{
	if (timer->deadline != TIMER_NEVER)
		timer_remove(queue, timer);
	timer->deadline = deadline;
	if (deadline != TIMER_NEVER)
		timer_insert(queue, timer);
	timer_update(queue);
}

void timer_expire(struct timer_queue *queue, uint64_t now)
{
	while (queue->first && queue->first->deadline <= now) {
		struct timer *timer = queue->first;

		queue->first = timer->next;
		timer->deadline = TIMER_NEVER;
		timer->fire(timer);
	}
	timer_update(queue);
}
