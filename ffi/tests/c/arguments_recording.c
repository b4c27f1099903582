/* Guards the functions of checkpoints and recording against arguments that no caller should give. */
#include "expect.h"

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

int main(void)
{
    mfn_sim *sim = NULL, *made = NULL;
    mfn_bytes bytes = {NULL, 0};
    mfn_field_view view;
    uint64_t step = 7;
    uint8_t noise[64] = {0};

    CALL(mfn_sim_create_json("{\"grid_size\": 8}", &sim, &error), MFN_OK, "");
    CALL(mfn_sim_record_ring(sim, 4, MFN_PLANE_FIELD, &error), MFN_INVALID, "record_every");
    CALL(mfn_sim_record_file(sim, "frames.npy", MFN_PLANE_FIELD, 0, &error), MFN_INVALID, "record_every");
    mfn_sim_free(sim);
    sim = NULL;
    CALL(mfn_sim_create_json("{\"grid_size\": 8, \"record_every\": 1}", &sim, &error), MFN_OK, "");

    CALL(mfn_sim_checkpoint_write(NULL, "state", &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_checkpoint_write(sim, NULL, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_sim_checkpoint_write(sim, "/nowhere/at/all", &error), MFN_IO, "/nowhere/at/all");
    CALL(mfn_sim_checkpoint_write(sim, "\xff", &error), MFN_INVALID, "path");
    CALL(mfn_sim_checkpoint_bytes(NULL, &bytes, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_checkpoint_bytes(sim, NULL, &error), MFN_INVALID, "bytes is NULL");
    CALL(mfn_sim_checkpoint_bytes(sim, MISALIGNED(mfn_bytes *, &bytes), &error), MFN_INVALID, "misaligned");
    EXPECT(bytes.data == NULL);
    CALL(mfn_sim_restore(NULL, &made, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_sim_restore("/nowhere/at/all", &made, &error), MFN_IO, "/nowhere/at/all");
    CALL(mfn_sim_restore("/dev/null", &made, &error), MFN_INVALID, "regular file");
    CALL(mfn_sim_restore("/nowhere", NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_restore_bytes(NULL, 1, &made, &error), MFN_INVALID, "data is NULL");
    CALL(mfn_sim_restore_bytes(NULL, 0, &made, &error), MFN_INVALID, "truncated");
    CALL(mfn_sim_restore_bytes(noise, sizeof noise, &made, &error), MFN_INVALID, "not a checkpoint");
    CALL(mfn_sim_restore_bytes(noise, (size_t)-1, &made, &error), MFN_INVALID, "more than memory can hold");
    CALL(mfn_sim_restore_bytes(noise, sizeof noise, NULL, &error), MFN_INVALID, "sim is NULL");
    EXPECT(made == NULL);

    CALL(mfn_sim_record_ring(NULL, 4, MFN_PLANE_FIELD, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_ring(sim, 0, MFN_PLANE_FIELD, &error), MFN_INVALID, "0 frames");
    CALL(mfn_sim_record_ring(sim, (size_t)-1, MFN_PLANE_FIELD, &error), MFN_INVALID, "smaller capacity");
    CALL(mfn_sim_record_ring(sim, (size_t)1 << 52, MFN_PLANE_FIELD, &error), MFN_INVALID, "smaller capacity");
    CALL(mfn_sim_record_ring(sim, 4, 0, &error), MFN_INVALID, "planes");
    CALL(mfn_sim_record_ring(sim, 4, 8, &error), MFN_INVALID, "planes = 8");
    CALL(mfn_sim_record_frame(sim, 0, MFN_PLANE_FIELD, &step, &view, &error), MFN_INVALID, "no ring");
    CALL(mfn_sim_record_file(NULL, "frames.npy", MFN_PLANE_FIELD, 0, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_file(sim, NULL, MFN_PLANE_FIELD, 0, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_sim_record_file(sim, "frames.npy", 3, 0, &error), MFN_INVALID, "plane = 3");
    CALL(mfn_sim_record_file(sim, "frames.npy", MFN_PLANE_FIELD, 2, &error), MFN_INVALID, "resume = 2");
    CALL(mfn_sim_record_file(sim, "/nowhere/frames.npy", MFN_PLANE_FIELD, 0, &error), MFN_IO, "/nowhere/frames.npy");
    CALL(mfn_sim_record_file(sim, "/nowhere/frames.npy", MFN_PLANE_FIELD, 1, &error), MFN_IO, "/nowhere/frames.npy");
    CALL(mfn_sim_record_callback(NULL, NULL, NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_callback(sim, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_record_sync(NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_sync(sim, &error), MFN_INVALID, "no file");
    CALL(mfn_sim_record_finish(NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_finish(sim, &error), MFN_INVALID, "no file");
    EXPECT(mfn_sim_record_count(NULL) == 0 && mfn_sim_record_dropped(NULL) == 0);
    EXPECT(mfn_sim_record_count(sim) == 0 && mfn_sim_record_dropped(sim) == 0);

    CALL(mfn_sim_record_ring(sim, 3, MFN_PLANE_FIELD, &error), MFN_OK, "");
    CALL(mfn_sim_run(sim, 2, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_record_frame(NULL, 0, MFN_PLANE_FIELD, &step, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_record_frame(sim, 2, MFN_PLANE_FIELD, &step, &view, &error), MFN_INVALID, "index = 2");
    CALL(mfn_sim_record_frame(sim, (size_t)-1, MFN_PLANE_FIELD, &step, &view, &error), MFN_INVALID, "index");
    CALL(mfn_sim_record_frame(sim, 0, MFN_PLANE_ACTIVATOR, &step, &view, &error), MFN_INVALID, "not in the ring");
    CALL(mfn_sim_record_frame(sim, 0, 0, &step, &view, &error), MFN_INVALID, "planes");
    CALL(mfn_sim_record_frame(sim, 0, MFN_PLANE_FIELD, NULL, &view, &error), MFN_INVALID, "step is NULL");
    CALL(mfn_sim_record_frame(sim, 0, MFN_PLANE_FIELD, &step, NULL, &error), MFN_INVALID, "view is NULL");
    EXPECT(step == 7);
    CALL(mfn_sim_record_frame(sim, 0, MFN_PLANE_FIELD, &step, &view, &error), MFN_OK, "");
    EXPECT(step == 1 && view.rows == 8);
    mfn_sim_free(sim);
    return mfn_live_handles() != 0;
}
