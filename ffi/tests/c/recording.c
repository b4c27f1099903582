/* Guards recording and checkpoints as a host uses them: a ring, a file and a function at once, a stop from the
   function, a run that is written down, thrown away and continued from a file and from bytes with the same
   bits, and every byte of it that changes. The argument is a directory to write to. */
#include "expect.h"

#define SPEC "{\"grid_size\": 12, \"steps\": 40, \"record_every\": 4, \"quantum_jitter\": true}"

static mfn_error *error;

struct seen {
    uint64_t frames, last, stop_at;
    double sum;
    mfn_sim *sim;
};

static int32_t on_frame(void *user_data, uint64_t step, const mfn_field_view *field, const mfn_field_view *activator,
                        const mfn_field_view *inhibitor)
{
    struct seen *seen = user_data;
    size_t i;
    EXPECT(field->rows == 12 && field->cols == 12 && activator->rows == 12 && inhibitor->cols == 12);
    for (i = 0; i < 144; i++)
        seen->sum += field->data[i];
    seen->frames++;
    seen->last = step;
    EXPECT(mfn_sim_step(seen->sim, NULL) == MFN_INVALID);
    return step == seen->stop_at;
}

static int same(const mfn_sim *a, const mfn_sim *b)
{
    mfn_bytes first = {NULL, 0}, second = {NULL, 0};
    int equal;
    CALL(mfn_sim_checkpoint_bytes(a, &first, &error), MFN_OK, "");
    CALL(mfn_sim_checkpoint_bytes(b, &second, &error), MFN_OK, "");
    equal = first.len == second.len && memcmp(first.data, second.data, first.len) == 0;
    mfn_bytes_free(&first);
    mfn_bytes_free(&second);
    return equal;
}

int main(int argc, char **argv)
{
    mfn_sim *sim = NULL, *other = NULL, *refused = NULL;
    mfn_bytes bytes = {NULL, 0};
    mfn_field_view view, now;
    struct seen seen = {0, 0, 0, 0.0, NULL};
    char file[512], state[512], partial[600];
    uint64_t step = 0;
    size_t i;
    FILE *opened;

    EXPECT(argc == 2);
    snprintf(file, sizeof file, "%s/frames.npy", argv[1]);
    snprintf(partial, sizeof partial, "%s.partial", file);
    snprintf(state, sizeof state, "%s/state", argv[1]);
    CALL(mfn_sim_create_json(SPEC, &sim, &error), MFN_OK, "");
    seen.sim = sim;
    seen.stop_at = 12;
    CALL(mfn_sim_record_ring(sim, 2, MFN_PLANE_FIELD | MFN_PLANE_INHIBITOR, &error), MFN_OK, "");
    CALL(mfn_sim_record_file(sim, file, MFN_PLANE_ACTIVATOR, 0, &error), MFN_OK, "");
    CALL(mfn_sim_record_callback(sim, on_frame, &seen, &error), MFN_OK, "");
    CALL(mfn_sim_run(sim, 40, NULL, NULL, &error), MFN_CANCELLED, "");
    EXPECT(seen.frames == 3 && seen.last == 12 && mfn_sim_step_count(sim) == 12 && seen.sum < 0);
    EXPECT(mfn_sim_record_count(sim) == 2 && mfn_sim_record_dropped(sim) == 1);
    CALL(mfn_sim_record_frame(sim, 1, MFN_PLANE_FIELD, &step, &view, &error), MFN_OK, "");
    CALL(mfn_sim_field(sim, &now, &error), MFN_OK, "");
    EXPECT(step == 12 && memcmp(view.data, now.data, 144 * sizeof(double)) == 0);

    /* Written down, advanced, thrown away; another handle continues from the file. */
    CALL(mfn_sim_record_callback(sim, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_run(sim, 2, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_record_sync(sim, &error), MFN_OK, "");
    CALL(mfn_sim_checkpoint_write(sim, state, &error), MFN_OK, "");
    CALL(mfn_sim_checkpoint_bytes(sim, &bytes, &error), MFN_OK, "");
    CALL(mfn_sim_run(sim, 26, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_restore_bytes(bytes.data, bytes.len, &other, &error), MFN_OK, "");
    EXPECT(mfn_sim_step_count(other) == 14 && mfn_sim_record_count(other) == 0);
    CALL(mfn_sim_run(other, 26, NULL, NULL, &error), MFN_OK, "");
    EXPECT(same(sim, other));
    mfn_sim_free(other);
    mfn_sim_free(sim);
    opened = fopen(file, "rb");
    EXPECT(opened == NULL);
    CALL(mfn_sim_restore(state, &sim, &error), MFN_OK, "");
    CALL(mfn_sim_record_file(sim, file, MFN_PLANE_ACTIVATOR, 1, &error), MFN_OK, "");
    CALL(mfn_sim_run(sim, 26, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_record_finish(sim, &error), MFN_OK, "");
    EXPECT(fopen(partial, "rb") == NULL);
    opened = fopen(file, "rb");
    EXPECT(opened != NULL && fseek(opened, 0, SEEK_END) == 0 && ftell(opened) == 128 + 10 * 144 * 8);
    fclose(opened);

    /* The last frame of the file is the activator of the state after step 40. */
    CALL(mfn_sim_activator(sim, &now, &error), MFN_OK, "");
    opened = fopen(file, "rb");
    EXPECT(opened != NULL && fseek(opened, -144 * 8, SEEK_END) == 0);
    for (i = 0; i < 144; i++) {
        double cell;
        EXPECT(fread(&cell, sizeof cell, 1, opened) == 1 && memcmp(&cell, now.data + i, sizeof cell) == 0);
    }
    fclose(opened);
    mfn_sim_free(sim);

    for (i = 0; i < bytes.len; i += 7) {
        bytes.data[i] ^= 0x10;
        EXPECT(mfn_sim_restore_bytes(bytes.data, bytes.len, &refused, NULL) == MFN_INVALID && refused == NULL);
        EXPECT(mfn_sim_restore_bytes(bytes.data, i, &refused, NULL) == MFN_INVALID && refused == NULL);
        bytes.data[i] ^= 0x10;
    }
    mfn_bytes_free(&bytes);
    return mfn_live_handles() != 0;
}
