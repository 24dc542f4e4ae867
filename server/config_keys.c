/* The keys of the configuration: the one list of them. What reads and checks is driven by it, and
 * the manual is made of it.
 */
#include "config_parse.h"

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define SEC INT64_C(1000)

#define TABLE(what, keys)                                                                          \
    {                                                                                              \
        what, ARRAY_LEN(keys), keys                                                                \
    }
#define AT(member) .offset = offsetof(struct config, member)

static const struct config_key limit_keys[] = {
    {"message_max", CONFIG_SIZE, AT(limits.message_max), .min = 1024, .max = GIB,
     .initial = 4 * MIB, .doc = "Bytes of one request; a larger one closes its connection."},
    {"reply_max", CONFIG_SIZE, AT(limits.reply_max), .min = 65536, .max = GIB, .initial = 16 * MIB,
     .doc = "Bytes of one reply; lists are cut into pages that fit."},
    {"connections_max", CONFIG_COUNT, AT(limits.connections_max), .min = 1, .max = 1000000,
     .initial = 4096, .doc = "Connections of all listeners; more are closed at once."},
    {"pipeline_max", CONFIG_COUNT, AT(limits.pipeline_max), .min = 1, .max = 65536, .initial = 64,
     .doc = "Calls under way on one connection; then it is not read until one ends."},
    {"unsent_max", CONFIG_SIZE, AT(limits.unsent_max), .min = 65536, .max = GIB, .initial = 4 * MIB,
     .doc = "Bytes of replies that a connection may leave unread; then it is not read."},
    {"memory_max", CONFIG_SIZE, AT(memory_max), .min = 64 * MIB, .max = 1024 * GIB,
     .initial = 512 * MIB,
     .doc =
         "Bytes that all calls hold together, requests that are still being read included. Where "
         "three quarters are in use, new calls to clouds are answered Overloaded."},
    {"handshake_timeout", CONFIG_DURATION, AT(limits.handshake_ms), .min = 100, .max = 600 * SEC,
     .initial = 5 * SEC, .doc = "For a new connection to say what it is, TLS included."},
    {"frame_timeout", CONFIG_DURATION, AT(limits.frame_ms), .min = 100, .max = 600 * SEC,
     .initial = 10 * SEC, .doc = "From the first byte of a request to its last."},
};
static const struct config_table limit_table = TABLE("limits", limit_keys);

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};

static const struct config_key top_keys[] = {
    {"state_dir", CONFIG_PATH, AT(state_dir),
     .doc = "Folder for what must outlive the process. Without it: $STATE_DIRECTORY, for root "
            "/var/lib/isobar, else $XDG_STATE_HOME/isobar or ~/.local/state/isobar."},
    {"listen", CONFIG_SPECIAL, .read = config_read_listen, .section = &config_listen_table,
     .text = "[URL, {url: URL, ...}]",
     .doc = "Where clients connect: a list of URLs, or of maps where there is more to say. Without "
            "it the local socket of this user."},
    {"clouds", CONFIG_SPECIAL, .read = config_read_clouds, .section = &config_cloud_table,
     .required = true, .text = "{NAME: {adapter: ADAPTER, ...}}",
     .doc = "The connections to clouds. A name has letters a to z, digits, and _ - . behind the "
            "first."},
    {"users", CONFIG_SPECIAL, .read = config_read_users, .section = &config_user_table,
     .text = "[{name: NAME, role: ROLE, ...}]",
     .doc = "Who may call through TCP and TLS. Where it is missing, everybody who can connect is "
            "an administrator; who can open the local socket always is one."},
    {"register", CONFIG_SPECIAL, .read = config_read_registers, .section = &config_register_table,
     .text = "[{gateway: URL, ...}]",
     .doc = "Other gateways that are offered clouds of this one, which then serves them as an "
            "adapter."},
    {"io_threads", CONFIG_COUNT, AT(io_threads), .min = 0, .max = 64, .initial = 0,
     .doc = "Threads that own the connections; 0: as many as cores, at most 4."},
    {"default_timeout", CONFIG_DURATION, AT(default_timeout_ms), .min = 1, .max = 86400 * SEC,
     .initial = 60 * SEC, .doc = "Of a call that does not say its own."},
    {"drain_timeout", CONFIG_DURATION, AT(drain_timeout_ms), .min = 0, .max = 3600 * SEC,
     .initial = 30 * SEC, .doc = "For what is under way to end after SIGTERM."},
    {"keep_operations", CONFIG_DURATION, AT(keep_operations_ms), .min = 60 * SEC,
     .max = 24 * 86400 * SEC, .initial = 7 * 86400 * SEC,
     .doc = "How long operations that have ended are kept, and with them the promise that a call "
            "repeated under its request_id is not done twice. At most 1,000,000 are."},
    {"log_level", CONFIG_WORD, AT(log_level), .words = log_levels, .text = "info",
     .doc = "The least important lines that are logged."},
    {"limits", CONFIG_SECTION, .section = &limit_table, .text = "{KEY: VALUE, ...}",
     .doc = "What one client may cost."},
};
const struct config_table config_top = TABLE("the configuration", top_keys);

#undef AT
#define AT(member) .offset = offsetof(struct config_listen, member)

static const struct config_key tls_keys[] = {
    {"cert", CONFIG_FILE, AT(tls.cert_file), .required = true,
     .doc = "The gateway's certificate with its chain, PEM."},
    {"key", CONFIG_FILE, AT(tls.key_file), .required = true, .doc = "Its key, PEM."},
    {"ca", CONFIG_FILE, AT(tls.ca_file),
     .doc = "Clients must show a certificate that one of these signed, PEM. Without it they need "
            "none."},
};
static const struct config_table tls_table = TABLE("tls", tls_keys);

static const struct config_key listen_keys[] = {
    {"url", CONFIG_TEXT, AT(url), .required = true,
     .doc = "ipc:///PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT."},
    {"insecure", CONFIG_BOOL, AT(insecure),
     .doc = "Plain TCP beyond loopback is meant so: everything can be read and changed on its "
            "way."},
    {"tls", CONFIG_SECTION, .section = &tls_table, .text = "{cert: FILE, key: FILE}",
     .doc = "The files for tls+tcp://."},
};
const struct config_table config_listen_table = TABLE("a place to listen at", listen_keys);

#undef AT
#define AT(member) .offset = offsetof(struct config_cloud, member)

static const struct config_key cloud_keys[] = {
    {"adapter", CONFIG_TEXT, AT(adapter), .required = true,
     .doc = "What speaks to this kind of cloud: isobar adapter list shows them. Its own settings "
            "stand beside this key: isobar adapter describe shows them."},
    {"version", CONFIG_TEXT, AT(version),
     .doc =
         "Processes that have registered as this adapter serve the cloud, of these versions: "
         "\">=2 <3\", \"1.4\" (any 1.4.x), \"*\". An adapter that is not built in is such a one "
         "in any case. The setting `cloud` is then the cloud's name there; without it the same."},
    {"max_in_flight", CONFIG_COUNT, AT(max_in_flight), .min = 1, .max = 1024, .initial = 64,
     .doc = "Calls that may be at the cloud at the same time."},
    {"max_queued", CONFIG_COUNT, AT(max_queued), .min = 1, .max = 1000000, .initial = 1024,
     .doc = "Calls that may wait for a place; more are answered Overloaded."},
    {"defaults", CONFIG_SPECIAL, .read = config_read_defaults,
     .text = "{ATTRIBUTE: VALUE, parameters: {NAME: VALUE}}",
     .doc = "What fills attributes of a machine's specification that a request leaves open."},
};
const struct config_table config_cloud_table = TABLE("a cloud", cloud_keys);

#undef AT
#define AT(member) .offset = offsetof(struct config_user, member)

static const struct config_key user_keys[] = {
    {"name", CONFIG_TEXT, AT(name), .required = true,
     .doc = "Also the name in the client's certificate, where it shows one."},
    {"role", CONFIG_TEXT, AT(role), .required = true,
     .doc = "reader: may look. operator: may change machines too. admin: may do everything. "
            "adapter: may do nothing but register."},
    {"token_file", CONFIG_FILE, AT(token_file),
     .doc = "Its first line is the user's token. Nobody but its owner may have any right to the "
            "file. Without it the user is known by a certificate alone."},
    {"adapters", CONFIG_SPECIAL, .read = config_read_adapters, .text = "[ADAPTER, ...]",
     .doc = "As which adapters this user may register processes, which then get calls; \"*\": as "
            "any."},
    {"ca", CONFIG_FILE, AT(ca),
     .doc = "Of what it registers at tls+tcp://: who signs the certificates there, PEM. Without it "
            "the system's."},
};
const struct config_table config_user_table = TABLE("a user", user_keys);

#undef AT
#define AT(member) .offset = offsetof(struct config_register, member)

static const struct config_key register_keys[] = {
    {"gateway", CONFIG_TEXT, AT(gateway), .required = true,
     .doc = "Where it listens: ipc:///PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT."},
    {"token_file", CONFIG_FILE, AT(token_file),
     .doc = "Its first line is the token of a user there that may register. Nobody but its owner "
            "may have any right to the file."},
    {"ca", CONFIG_FILE, AT(ca),
     .doc = "Of tls+tcp://: who signs its certificate, PEM. Without it the system's."},
    {"cert", CONFIG_FILE, AT(cert),
     .doc = "A certificate to show it, with its chain, PEM: a user there can be known by its name "
            "instead of a token."},
    {"key", CONFIG_FILE, AT(key),
     .doc = "Its key, PEM; without it in the file of the certificate."},
    {"offer", CONFIG_SPECIAL, .read = config_read_offer, .text = "[CLOUD, ...]",
     .doc = "Which clouds; without it all."},
    {"endpoint", CONFIG_TEXT, AT(endpoint),
     .doc = "Where it is to call this gateway; without it the first place of `listen`."},
    {"weight", CONFIG_COUNT, AT(weight), .min = 0, .max = 1000000, .initial = 100,
     .doc = "This gateway's share of the calls, beside others that offer the same clouds there."},
    {"metadata", CONFIG_SPECIAL, .read = config_read_metadata, .text = "{NAME: VALUE, ...}",
     .doc = "Shown there beside the registration."},
};
const struct config_table config_register_table =
    TABLE("a gateway to register with", register_keys);
