#include "config_files.h"
#include "text.h"

/* Reference `index` of a partition to a file: 0 its image, 1 its initrd, then the granted images.
 */
static bool reference(const struct config_partition *partition, uint32_t index, struct config_file *file)
{
	const struct config_grant *grant;

	*file = (struct config_file){ partition->image, partition->image_line, false, false };
	if (index == 0) {
		file->program = partition->kind == BH_KIND_NATIVE;
	} else if (index == 1) {
		file->path = partition->initrd;
		file->line = partition->initrd_line;
	} else {
		grant = &partition->grant[index - 2];
		if (grant->type != CONFIG_GRANT_IMAGE)
			return false;
		file->path = grant->path;
		file->line = grant->line;
	}
	file->image = !file->program;
	return file->path[0] != 0;
}

/* The same for the console's files. */
static bool console_reference(const struct config *config, uint32_t index, struct config_file *file)
{
	const struct bh_console_file *named = &config->network.file[index];

	*file = (struct config_file){ named->path, named->line, true, false };
	return named->path[0] && !named->failed;
}

static void add(struct config_file *list, uint32_t *count, const struct config_file *file)
{
	for (uint32_t i = 0; i < *count; i++) {
		if (!text_same(list[i].path, file->path))
			continue;
		list[i].image |= file->image;
		list[i].program |= file->program;
		return;
	}
	list[(*count)++] = *file;
}

uint32_t config_files(const struct config *config, struct config_file *list)
{
	struct config_file file;
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->partitions; i++)
		for (uint32_t r = 0; !config_is_net(config, i) && r < 2 + config->partition[i].grants; r++)
			if (reference(&config->partition[i], r, &file))
				add(list, &count, &file);
	for (uint32_t i = 0; i < BH_CONSOLE_FILES; i++)
		if (console_reference(config, i, &file))
			add(list, &count, &file);
	return count;
}

static void fail_text(struct config *config, struct config_partition *partition, uint32_t line, config_error report,
		      void *context, const char *text)
{
	config->errors++;
	if (!partition->error[0])
		text_format(partition->error, sizeof(partition->error), "line %u: %s", line, text);
	if (report)
		report(context, line, text);
}

void config_partition_fail(struct config *config, struct config_partition *partition, uint32_t line,
			   config_error report, void *context, const char *format, ...)
{
	char text[CONFIG_ERROR_BYTES];
	va_list arguments;

	va_start(arguments, format);
	text_vformat(text, sizeof(text), format, arguments);
	va_end(arguments);
	fail_text(config, partition, line, report, context, text);
}

/* The console comes up without it. */
static void fail_console_file(struct config *config, const struct config_file *file, const char *why,
			      config_error report, void *context)
{
	struct config_file used;
	char text[CONFIG_ERROR_BYTES];

	for (uint32_t i = 0; i < BH_CONSOLE_FILES && file->image; i++) {
		if (!console_reference(config, i, &used) || !text_same(used.path, file->path))
			continue;
		text_format(text, sizeof(text), "`%s`: %s: %s", config->network.file[i].name, file->path, why);
		config->network.file[i].failed = 1;
		config->errors++;
		if (report)
			report(context, used.line, text);
	}
}

void config_file_fail(struct config *config, const struct config_file *file, const char *why, config_error report,
		      void *context)
{
	struct config_file used;

	fail_console_file(config, file, why, report, context);
	for (uint32_t i = 0; i < config->partitions; i++) {
		struct config_partition *partition = &config->partition[i];

		for (uint32_t r = 0; r < 2 + partition->grants; r++) {
			if (!reference(partition, r, &used) || !text_same(used.path, file->path))
				continue;
			if (!(used.image && file->image) && !(used.program && file->program))
				continue;
			config_partition_fail(config, partition, used.line, report, context, "%s: %s: %s",
					      partition->name, file->path, why);
			break;
		}
	}
}
