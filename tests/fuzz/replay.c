/* replay.c - runs a fuzzer's function over files, once each, without a fuzzer: what was found once stays found.
 *
 *     query_replay FILE_OR_DIRECTORY...        exit 0: nothing crashed; it says how many
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned count;

/* In a block of just its size, so that a sanitizer sees whoever reads on. */
static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	struct stat is;

	if (file == NULL || fstat(fileno(file), &is) == -1 ||
	    (bytes = malloc((size_t)is.st_size + (is.st_size == 0))) == NULL ||
	    fread(bytes, 1, (size_t)is.st_size, file) != (size_t)is.st_size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last one is the one that crashed */
	(void)LLVMFuzzerTestOneInput(bytes, (size_t)is.st_size);
	free(bytes);
	count++;
}

static void run(const char *path)
{
	struct dirent **names;
	int found = scandir(path, &names, NULL, alphasort);
	char inside[4096];

	if (found == -1) {
		run_file(path);
		return;
	}
	for (int i = 0; i < found; i++) {
		snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			run(inside);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 1;
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	printf("%u inputs\n", count);
	return count > 0 ? 0 : 1;
}
