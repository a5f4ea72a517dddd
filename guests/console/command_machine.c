#include "commands.h"
#include "machine.h"
#include "screen.h"
#include "serial.h"

static enum bh_machine_control asked;

/* The words first: afterwards there is nobody to say them. */
static void say_all(void)
{
	while (serial_sending()) {
		bh_sleep_ms(2);
		serial_service();
	}
	bh_sleep_ms(5);
}

static void act(void)
{
	screen_printf("%s.\n", asked == BH_REBOOT ? "Rebooting" : "Powering off");
	say_all();

	int64_t error = machine_control(asked);

	screen_printf("The kernel refused: error %d.\n", (int)error);
}

static void answered(const char *text)
{
	if (!strcmp(text, "y") || !strcmp(text, "yes"))
		act();
	else
		screen_printf("Nothing was done.\n");
}

static void ask_or_act(const struct arguments *arguments, enum bh_machine_control operation, const char *question)
{
	asked = operation;
	if (arguments->flag == 'f')
		act();
	else
		shell_ask(question, answered);
}

void command_reboot(const struct arguments *arguments)
{
	ask_or_act(arguments, BH_REBOOT, "All partitions end. Reboot the machine? (yes/no) ");
}

void command_poweroff(const struct arguments *arguments)
{
	ask_or_act(arguments, BH_POWEROFF, "All partitions end. Power off? (yes/no) ");
}

/* As any other mistake of ours would: an exception that nobody handles. */
static void crash(void)
{
	screen_printf("The console crashes.\n");
	bh_printf("console: crashes on purpose\n");
	say_all();
#ifndef HOST_TEST
	__builtin_trap();
#endif
}

void command_debug(const struct arguments *arguments)
{
	const char *what = arguments->words[0], *whom = arguments->words[1];

	if (what && whom && !arguments->words[2] && !strcmp(what, "crash") && !strcmp(whom, "console"))
		crash();
	else
		screen_printf("debug crash console.\n");
}
