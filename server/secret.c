#include "secret.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

bool secret_read(const char *path, char ret[SECRET_MAX])
{
    char line[SECRET_MAX] = "";
    FILE *f = fopen(path, "re");

    /* No copy of it in the stream's buffer. */
    if (f)
        setvbuf(f, NULL, _IONBF, 0);
    bool ok = f && fgets(line, sizeof(line), f);
    if (f)
        fclose(f);
    char *begin = line + strspn(line, BLANKS);
    size_t len = strlen(begin);
    while (len > 0 && strchr(BLANKS, begin[len - 1]))
        len--;
    memset(ret, 0, SECRET_MAX);
    if (ok)
        memcpy(ret, begin, len);
    OPENSSL_cleanse(line, sizeof(line));
    return ok && len > 0;
}
