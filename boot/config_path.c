/* Keys whose values are files on the volume. */
#include "config_parser.h"

_Static_assert(sizeof(((struct bh_console_file *)0)->path) == CONFIG_PATH_BYTES, "any path fits");

/* What is wrong with a path, or NULL. FAT refuses some characters; the rest keeps a file inside of
 * the volume. */
static const char *path_error(struct text path)
{
	struct text rest = path;

	for (size_t i = 0; i < path.bytes; i++) {
		char c = path.at[i];

		if (c == '\\')
			return "folders are separated by `/`";
		if (c == ':' || c == '*' || c == '?' || c == '"' || c == '<' || c == '>' || c == '|' || c == ',')
			return "a file name has none of : * ? \" < > | and comma";
	}
	if (path.at[0] == '/')
		return "a path begins in the configuration's folder: leave out the first `/`";
	while (rest.bytes) {
		struct text part = text_until(&rest, '/');

		if (text_equal(part, ".."))
			return "a path stays in the configuration's folder: no `..`";
		if (!part.bytes || part.at[part.bytes - 1] == '.')
			return "a part of the path is empty or ends with a dot";
	}
	if (path.at[path.bytes - 1] == '/')
		return "it ends with `/`: name a file";
	return NULL;
}

bool config_path(struct config_parser *parser, const char *key, struct text value, char *path)
{
	const char *wrong = path_error(value);

	if (!wrong && !text_copy(value, path, CONFIG_PATH_BYTES))
		wrong = "the path is too long: 127 characters at most";
	if (value.bytes > 60)
		value.bytes = 60;
	if (wrong)
		config_fail_here(parser, "`%s = %.*s`: %s", key, TEXT_ARGUMENTS(value), wrong);
	return !wrong;
}

void config_set_console_file(struct config_parser *parser, const char *key, struct text value)
{
	unsigned index = text_same(key, "tokens") ? BH_FILE_TOKENS : BH_FILE_KEY;
	struct bh_console_file file = { .line = parser->line };

	if (text_same(key, "certificate"))
		index = BH_FILE_CERTIFICATE;
	text_copy(text_of(key), file.name, sizeof(file.name));
	file.failed = !config_path(parser, key, value, file.path);
	parser->config->network.file[index] = file;
}

void config_set_image(struct config_parser *parser, const char *key, struct text value)
{
	parser->partition->image_line = parser->line;
	config_path(parser, key, value, parser->partition->image);
}

void config_set_initrd(struct config_parser *parser, const char *key, struct text value)
{
	parser->partition->initrd_line = parser->line;
	config_path(parser, key, value, parser->partition->initrd);
}
