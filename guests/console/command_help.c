#include "commands.h"
#include "screen.h"
#include "words.h"

static void all(void)
{
	for (unsigned i = 0; i < shell_command_count; i++) {
		const struct command *command = &shell_commands[i];
		char text[40];

		bh_snprintf(text, sizeof(text), "%s %s", command->name, command->usage);
		screen_printf("  %-24s %s\n", text, command->summary);
	}
	screen_printf("Tab completes commands and names, the arrow keys bring back former lines.\n");
}

void command_help(const struct arguments *arguments)
{
	const char *names[SHELL_COMMANDS_MAX];
	unsigned count = shell_command_count;

	if (!arguments->word) {
		all();
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct command *command = &shell_commands[i];

		names[i] = command->name;
		if (strcmp(command->name, arguments->word))
			continue;
		screen_printf("%s %s: %s\n", command->name, command->usage, command->summary);
		screen_printf("%s", command->help);
		return;
	}

	int near = words_nearest(arguments->word, names, count);

	screen_printf("There is no command ");
	screen_text(arguments->word, strlen(arguments->word));
	if (near >= 0)
		screen_printf(". Did you mean help %s?\n", names[near]);
	else
		screen_printf(". `help` lists them.\n");
}
