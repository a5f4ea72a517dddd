/* rtc.c: calendar and registers of the MC146818. */
#include "rtc.h"
#include "clock.h"

enum {
	SECONDS = 0,
	MINUTES = 2,
	HOURS = 4,
	WEEKDAY = 6,
	DAY = 7,
	MONTH = 8,
	YEAR = 9,
	REG_A = 10,
	REG_B = 11,
	REG_C = 12,
	REG_D = 13,
	CENTURY = 0x32, /* where the FADT says it is */
};

#define A_UPDATING 0x80
#define A_DIVIDER  0x26 /* 32768 Hz, 1024 Hz periodic rate */
#define B_SET	   0x80
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define D_VALID	   0x80

#define HOUR_PM 0x80

#define DAY_SECONDS 86400

struct calendar {
	unsigned year, month, day, weekday, hours, minutes, seconds;
};

/* Days from 1970-01-01 to a day of the Gregorian calendar; years begin in March, so that the leap
 * day is the last. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	uint64_t y = year - (month < 3), m = month < 3 ? month + 9 : month - 3;

	return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1) - 719468;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static struct calendar calendar_of(uint64_t seconds)
{
	uint64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
	struct calendar to = { .month = 1, .weekday = (unsigned)((days + 4) % 7) + 1 };

	to.hours = (unsigned)(rest / 3600);
	to.minutes = (unsigned)(rest / 60 % 60);
	to.seconds = (unsigned)(rest % 60);
	/* A guess that is never too late, and at most one year too early. */
	to.year = 1970 + (unsigned)(days / 366);
	while (days_of(to.year + 1, 1, 1) <= (int64_t)days)
		to.year++;
	days -= (uint64_t)days_of(to.year, 1, 1);
	for (; days >= month_days(to.year, to.month); to.month++)
		days -= month_days(to.year, to.month);
	to.day = (unsigned)days + 1;
	return to;
}

static int64_t seconds_of(const struct calendar *from)
{
	return days_of(from->year, from->month, from->day) * DAY_SECONDS + from->hours * 3600 + from->minutes * 60 +
	       from->seconds;
}

/* Seconds since 1970 by the guest's clock; `fraction` gets the TSC ticks since that second began.
 */
static uint64_t time_now(const struct rtc *rtc, uint64_t *fraction)
{
	uint64_t ticks = rtc->outside.now(rtc->outside.context) - rtc->outside.wall_tsc;
	int64_t seconds = (int64_t)(rtc->outside.wall_seconds + ticks / rtc->outside.tsc_hz) + rtc->offset;

	*fraction = ticks % rtc->outside.tsc_hz;
	return seconds < 0 ? 0 : (uint64_t)seconds;
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	if (rtc->ram[REG_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static unsigned decode_number(const struct rtc *rtc, uint8_t value)
{
	return rtc->ram[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t encode_hours(const struct rtc *rtc, unsigned hours)
{
	if (rtc->ram[REG_B] & B_24_HOURS)
		return encode(rtc, hours);
	return encode(rtc, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hours(const struct rtc *rtc, uint8_t value)
{
	if (rtc->ram[REG_B] & B_24_HOURS)
		return decode_number(rtc, value);
	return decode_number(rtc, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

static bool is_time(unsigned index)
{
	return index == CENTURY || (index <= YEAR && index != 1 && index != 3 && index != 5);
}

/* The time as registers. */
static void store_time(const struct rtc *rtc, uint8_t *ram)
{
	uint64_t fraction;
	struct calendar now = calendar_of(time_now(rtc, &fraction));

	ram[SECONDS] = encode(rtc, now.seconds);
	ram[MINUTES] = encode(rtc, now.minutes);
	ram[HOURS] = encode_hours(rtc, now.hours);
	ram[WEEKDAY] = encode(rtc, now.weekday);
	ram[DAY] = encode(rtc, now.day);
	ram[MONTH] = encode(rtc, now.month);
	ram[YEAR] = encode(rtc, now.year % 100);
	ram[CENTURY] = encode(rtc, now.year / 100);
}

static unsigned clamp(unsigned value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

/* The registers' time becomes the clock's; what is no date becomes the nearest that is one. */
static void load_time(struct rtc *rtc, const uint8_t *ram)
{
	uint64_t fraction, now = time_now(rtc, &fraction);
	struct calendar set = {
		.year = decode_number(rtc, ram[CENTURY]) * 100 + decode_number(rtc, ram[YEAR]) % 100,
		.month = clamp(decode_number(rtc, ram[MONTH]), 1, 12),
		.hours = clamp(decode_hours(rtc, ram[HOURS]), 0, 23),
		.minutes = clamp(decode_number(rtc, ram[MINUTES]), 0, 59),
		.seconds = clamp(decode_number(rtc, ram[SECONDS]), 0, 59),
	};

	set.year = clamp(set.year, 1970, 9999);
	set.day = clamp(decode_number(rtc, ram[DAY]), 1, month_days(set.year, set.month));
	rtc->offset += seconds_of(&set) - (int64_t)now;
}

static void write_time(struct rtc *rtc, unsigned index, uint8_t value)
{
	if (!(rtc->ram[REG_B] & B_SET))
		store_time(rtc, rtc->ram);
	rtc->ram[index] = value;
	if (!(rtc->ram[REG_B] & B_SET))
		load_time(rtc, rtc->ram);
}

/* SET stops the clock's registers so that they can be written one by one; clearing it starts from
 * them. */
static void write_b(struct rtc *rtc, uint8_t value)
{
	bool was_set = rtc->ram[REG_B] & B_SET;

	if (!was_set && value & B_SET)
		store_time(rtc, rtc->ram);
	if (was_set && !(value & B_SET)) {
		rtc->ram[REG_B] = value;
		load_time(rtc, rtc->ram);
	}
	rtc->ram[REG_B] = value;
}

/* The update takes the last 244 microseconds of a second, and is announced. */
static uint8_t read_a(const struct rtc *rtc)
{
	uint64_t fraction;

	time_now(rtc, &fraction);
	if (rtc->ram[REG_B] & B_SET || fraction < rtc->outside.tsc_hz - rtc->outside.tsc_hz / 4096)
		return A_DIVIDER;
	return A_DIVIDER | A_UPDATING;
}

static uint8_t read_index(struct rtc *rtc)
{
	uint8_t now[128];

	switch (rtc->index) {
	case REG_A: return read_a(rtc);
	case REG_C: return 0;
	case REG_D: return D_VALID;
	}
	if (!is_time(rtc->index) || rtc->ram[REG_B] & B_SET)
		return rtc->ram[rtc->index];
	store_time(rtc, now);
	return now[rtc->index];
}

static void write_index(struct rtc *rtc, uint8_t value)
{
	switch (rtc->index) {
	case REG_A:
	case REG_C:
	case REG_D: return;
	case REG_B: write_b(rtc, value); return;
	}
	if (is_time(rtc->index))
		write_time(rtc, rtc->index, value);
	else
		rtc->ram[rtc->index] = value;
}

uint32_t rtc_read(void *device, uint16_t port, unsigned size)
{
	struct rtc *rtc = device;
	uint8_t value = 0xff;

	(void)size;
	if (!(port & 1))
		return value; /* the index cannot be read */
	bh_lock(&rtc->lock);
	value = read_index(rtc);
	bh_unlock(&rtc->lock);
	return value;
}

void rtc_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct rtc *rtc = device;

	(void)size;
	bh_lock(&rtc->lock);
	if (port & 1)
		write_index(rtc, (uint8_t)value);
	else
		rtc->index = value & 0x7f; /* bit 7 masks NMIs, of which there are none */
	bh_unlock(&rtc->lock);
}

void rtc_init(struct rtc *rtc, const struct rtc_outside *outside)
{
	*rtc = (struct rtc){ .outside = *outside };
	rtc->ram[REG_B] = B_24_HOURS;
}
