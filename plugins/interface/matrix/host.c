/* Today's host in the matrix of interface versions: does through libmfn what core/runtime/examples/interface_host.rs
 * does, and prints the same line. Usage: host PLUGIN CONFIG_JSON */
#include <mfn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const uint8_t good[] = {'{', '}'};
    mfn_record records[2] = {{.struct_size = sizeof records[0], .id = "r", .content_type = "application/json",
                              .payload = good, .payload_len = sizeof good},
                             {.struct_size = sizeof records[0], .id = "r", .content_type = "application/json"}};
    mfn_error *results[2] = {NULL, NULL}, *error = NULL;
    mfn_runtime_options options;
    mfn_runtime *runtime = NULL;
    mfn_publisher *publisher = NULL;
    char *name = NULL, *detail = NULL;
    int32_t health;

    if (argc != 3)
        return 2;
    if (mfn_runtime_options_init(&options, sizeof options, &error) != MFN_OK ||
        mfn_runtime_create(&options, &runtime, &error) != MFN_OK)
        goto failed;
    if (mfn_runtime_load_plugin(runtime, argv[1], &name, &error) != MFN_OK) {
        printf("refused: %s\n", mfn_error_message(error));
        mfn_error_free(error);
        mfn_runtime_free(runtime);
        return 0;
    }
    if (mfn_publisher_open(runtime, name, "it", argv[2], NULL, &publisher, &error) != MFN_OK ||
        mfn_publisher_publish(publisher, records, 2, 1, 1000, results, &error) != MFN_OK ||
        mfn_component_health(mfn_publisher_component(publisher), &health, &detail, &error) != MFN_OK)
        goto failed;
    printf("works: host today: %s, %s; %s\n", results[0] ? mfn_error_message(results[0]) : "ok",
           results[1] ? mfn_error_message(results[1]) : "ok", detail);
    mfn_string_free(detail);
    mfn_string_free(name);
    mfn_error_free(results[0]);
    mfn_error_free(results[1]);
    mfn_publisher_free(publisher);
    mfn_runtime_free(runtime);
    return mfn_live_handles() == 0 ? 0 : 1;
failed:
    printf("failed: %s\n", mfn_error_message(error));
    return 1;
}
