/* What the test programs share: expectations that end the program with the line that failed. */
#ifndef EXPECT_H
#define EXPECT_H

#include <mfn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                                   \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                                        \
        }                                                                                                   \
    } while (0)

/* Expects a status; on a failure an error object with a message that contains `text`, else none. */
static void expect_call(int line, mfn_status got, mfn_status expected, mfn_error **error, const char *text)
{
    int answer = expected == MFN_OK || expected == MFN_WOULD_BLOCK || expected == MFN_CANCELLED || expected == MFN_END;
    if (got != expected || (*error == NULL) != answer || (!answer && mfn_error_status(*error) != expected)
        || (!answer && strstr(mfn_error_message(*error), text) == NULL)) {
        fprintf(stderr, "line %d: got %s \"%s\", expected %s \"%s\"\n", line, mfn_status_name(got),
                *error != NULL ? mfn_error_message(*error) : "", mfn_status_name(expected), text);
        exit(1);
    }
    mfn_error_free(*error);
    *error = NULL;
}

/* CALL(mfn_sim_step, (sim, &error), MFN_INVALID, "NULL"): wants a variable mfn_error *error = NULL. */
#define CALL(call, expected, text) expect_call(__LINE__, (call), (expected), &error, (text))

#endif
