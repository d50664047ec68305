/* A second opinion on call files: the rules of Asterisk's spool (asterisk.md 1), written for this
 * test with the C library's own fgets, strlen, strcasecmp and sscanf, which the product imitates.
 * It prints what Asterisk would hold as lines "key=value", so that two readings can be compared. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXTS = 9, NUMBERS = 4, FLAGS = 3 };

static const char *const TEXT_NAMES[TEXTS] = {"tech", "dest", "callerid", "application", "data",
                                              "context", "extension", "account", "codecs"};
static const char *const NUMBER_NAMES[NUMBERS] = {"priority", "maxretries", "retrytime", "waittime"};
static const int NUMBER_LEAST[NUMBERS] = {1, (-2147483647 - 1), 1, 1};
static const int NUMBER_DEFAULT[NUMBERS] = {1, 0, 300, 45};
static const char *const FLAG_NAMES[FLAGS] = {"archive", "alwaysdelete", "early_media"};

struct held {
	char texts[TEXTS][1024];
	int numbers[NUMBERS];
	int flags[FLAGS];
	FILE *sets;
	FILE *ignored;
};

static char *skip_blanks(char *s)
{
	while (*s && (unsigned char)*s < 33) {
		s++;
	}
	return s;
}

static void cut_comments(char *line)
{
	char *c = line;
	while ((c = strchr(c, '#'))) {
		if (c == line || c[-1] == ' ' || c[-1] == '\t') {
			*c = '\0';
			break;
		}
		c++;
	}
	c = line;
	while ((c = strchr(c, ';'))) {
		if (c > line && c[-1] == '\\') {
			memmove(c - 1, c, strlen(c) + 1);
		} else {
			*c = '\0';
			break;
		}
	}
	c = line + strlen(line);
	while (c > line && (unsigned char)c[-1] < 33) {
		*--c = '\0';
	}
}

static int is_true(const char *s)
{
	return !strcasecmp(s, "yes") || !strcasecmp(s, "true") || !strcasecmp(s, "y") || !strcasecmp(s, "t") ||
	       !strcasecmp(s, "1") || !strcasecmp(s, "on");
}

static int set_variable(struct held *o, char *value)
{
	char *name = strsep(&value, "=");
	if (!value || !*name) {
		return -1;
	}
	fprintf(o->sets, "set=%s=%s\n", name, value);
	return 0;
}

static int apply(struct held *o, const char *key, char *value)
{
	static const char *const SILENT[] = {"status", "retry", "startretry", "endretry", "abortretry", "delayedretry"};
	if (!strcasecmp(key, "channel")) {
		char *slash = strchr(value, '/');
		if (!slash) {
			return -1;
		}
		*slash = '\0';
		strcpy(o->texts[0], value);
		strcpy(o->texts[1], slash + 1);
		return 0;
	}
	for (int i = 2; i < TEXTS; i++) {
		if (!strcasecmp(key, TEXT_NAMES[i])) {
			strcpy(o->texts[i], value);
			return 0;
		}
	}
	for (int i = 0; i < NUMBERS; i++) {
		if (!strcasecmp(key, NUMBER_NAMES[i])) {
			if (sscanf(value, "%30d", &o->numbers[i]) != 1 || o->numbers[i] < NUMBER_LEAST[i]) {
				o->numbers[i] = NUMBER_DEFAULT[i];
				return -1;
			}
			return 0;
		}
	}
	for (int i = 0; i < FLAGS; i++) {
		if (!strcasecmp(key, FLAG_NAMES[i])) {
			o->flags[i] = is_true(value);
			return 0;
		}
	}
	if (!strcasecmp(key, "set") || !strcasecmp(key, "setvar")) {
		return set_variable(o, value);
	}
	for (size_t i = 0; i < sizeof(SILENT) / sizeof(*SILENT); i++) {
		if (!strcasecmp(key, SILENT[i])) {
			return 0;
		}
	}
	return -1;
}

static int parse_line(struct held *o, char *line)
{
	char *colon;
	cut_comments(line);
	if (!*line) {
		return 0;
	}
	colon = strchr(line, ':');
	if (!colon) {
		return -1;
	}
	*colon = '\0';
	return apply(o, line, skip_blanks(colon + 1));
}

static int is_whole(const char *buf, FILE *f)
{
	size_t len = strlen(buf);
	return (len && buf[len - 1] == '\n') || feof(f);
}

/* Prints what Asterisk would hold of the file; the caller frees it. */
char *spool_oracle(char *file, size_t len)
{
	struct held *o = calloc(1, sizeof(*o));
	char buf[1024], *sets = NULL, *ignored = NULL, *told = NULL;
	size_t sets_len, ignored_len, told_len;
	FILE *out = open_memstream(&told, &told_len);
	FILE *f = len ? fmemopen(file, len, "r") : NULL;

	o->sets = open_memstream(&sets, &sets_len);
	o->ignored = open_memstream(&ignored, &ignored_len);
	memcpy(o->numbers, NUMBER_DEFAULT, sizeof(NUMBER_DEFAULT));
	o->flags[1] = 1;
	for (int line = 1; f && fgets(buf, sizeof(buf), f); line++) {
		if (is_whole(buf, f)) {
			if (parse_line(o, buf)) {
				fprintf(o->ignored, "ignored=%d\n", line);
			}
			continue;
		}
		fprintf(o->ignored, "ignored=%d\n", line);
		while (fgets(buf, sizeof(buf), f) && !is_whole(buf, f)) {
		}
	}
	if (f) {
		fclose(f);
	}
	fclose(o->sets);
	fclose(o->ignored);
	for (int i = 0; i < TEXTS; i++) {
		fprintf(out, "%s=%s\n", TEXT_NAMES[i], o->texts[i]);
	}
	for (int i = 0; i < NUMBERS; i++) {
		fprintf(out, "%s=%d\n", NUMBER_NAMES[i], o->numbers[i]);
	}
	for (int i = 0; i < FLAGS; i++) {
		fprintf(out, "%s=%d\n", FLAG_NAMES[i], o->flags[i]);
	}
	fprintf(out, "%s%s", sets, ignored);
	fclose(out);
	free(sets);
	free(ignored);
	free(o);
	return told;
}
