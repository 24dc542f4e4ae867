# What configures each project of the OpenStack test cloud, and clouds.yaml.
# Sourced by openstack-up.sh, whose variables it uses.
# shellcheck shell=bash
# shellcheck disable=SC2154  # openstack-up.sh sets them

# auth_section NAME USER: how a project logs in to the others.
auth_section() {
    cat <<EOF
[$1]
auth_type = password
auth_url = http://127.0.0.1:$KEYSTONE_PORT/v3
username = $2
password = $OS_TEST_PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
EOF
}

# database SECTION NAME: how a project finds its database.
database() {
    cat <<EOF
[$1]
connection = mysql+pymysql://root@localhost/$2?unix_socket=$STATE/mariadb/socket
EOF
}

# common PROJECT: what every project's file has.
common() {
    cat <<EOF
log_file = $STATE/log/$1.log
use_stderr = false
transport_url = fake://

[oslo_messaging_notifications]
driver = noop

[oslo_concurrency]
lock_path = $STATE/lock/$1

$(database database "$1")
EOF
    [ "$1" != keystone ] || return 0
    auth_section keystone_authtoken "$1"
    cat <<EOF
www_authenticate_uri = http://127.0.0.1:$KEYSTONE_PORT
service_token_roles = service
service_token_roles_required = true
EOF
}

write_configuration() {
    cat >"$STATE/etc/mariadb.cnf" <<EOF
[mariadbd]
user = $(id -un)
datadir = $STATE/mariadb/data
socket = $STATE/mariadb/socket
pid-file = $STATE/mariadb/pid
log-error = $STATE/log/mariadb.log
init-file = $STATE/etc/mariadb.sql
character-set-server = utf8mb3
max-connections = 500
# Nobody else can reach the socket.  With no privileges to look up, the
# server starts in an empty folder: mariadb-install-db is not needed.
skip-networking
skip-grant-tables
# Nothing here is to survive a crash.
skip-log-bin
skip-innodb-doublewrite
innodb-flush-log-at-trx-commit = 0
innodb-flush-method = nosync
innodb-use-native-aio = off
innodb-stats-persistent = off
performance-schema = off
# Small.
innodb-log-file-size = 32M
innodb-buffer-pool-size = 64M
innodb-temp-data-file-path = ibtmp1:4M:autoextend
key-buffer-size = 8M
aria-pagecache-buffer-size = 8M
EOF
    printf 'CREATE DATABASE %s;\n' keystone placement glance nova_api nova \
        nova_cell0 neutron cinder >"$STATE/etc/mariadb.sql"

    cat >"$STATE/etc/keystone.conf" <<EOF
[DEFAULT]
$(common keystone)
[fernet_tokens]
key_repository = $STATE/keystone/fernet
[fernet_receipts]
key_repository = $STATE/keystone/fernet
[credential]
key_repository = $STATE/keystone/credential
[identity]
# The cheapest hash that bcrypt has: every log-in pays for one.
password_hash_rounds = 4
[cache]
backend = oslo_cache.dict
EOF

    cat >"$STATE/etc/placement.conf" <<EOF
[DEFAULT]
$(common placement)
$(database placement_database placement)
EOF

    cat >"$STATE/etc/glance.conf" <<EOF
[DEFAULT]
bind_host = 127.0.0.1
bind_port = $GLANCE_PORT
workers = 0
node_staging_uri = file://$STATE/glance/staging
$(common glance)
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = $STATE/glance/images
[paste_deploy]
flavor = keystone
config_file = $COMMON/glance-common/glance-api-paste.ini
EOF

    cat >"$STATE/etc/neutron.conf" <<EOF
[DEFAULT]
bind_host = 127.0.0.1
bind_port = $NEUTRON_PORT
api_workers = 0
api_paste_config = $COMMON/neutron-common/api-paste.ini
state_path = $STATE/neutron
core_plugin = ml2
service_plugins = loopback_neutron.LoopbackL3Plugin
dhcp_agent_notification = false
host = loopback
# Keep the addresses that nova shows of a server up to date, without delay.
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
send_events_interval = 0
$(common neutron)
$(auth_section nova nova)
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = loopback
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
[ml2_type_vxlan]
vni_ranges = 1:10000
EOF

    cat >"$STATE/etc/cinder.conf" <<EOF
[DEFAULT]
my_ip = 127.0.0.1
host = loopback
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = $CINDER_PORT
osapi_volume_workers = 1
api_paste_config = $COMMON/cinder-common/api-paste.ini
resource_query_filters_file = $COMMON/cinder/resource_filters.json
state_path = $STATE/cinder
glance_api_servers = http://127.0.0.1:$GLANCE_PORT
enabled_backends = loopback
periodic_fuzzy_delay = 0
$(common cinder)
$(auth_section nova nova)
$(auth_section service_user cinder)
send_service_user_token = true
[coordination]
backend_url = file://$STATE/cinder
[loopback]
volume_driver = loopback_cinder.LoopbackVolumeDriver
volume_backend_name = loopback
EOF

    cat >"$STATE/etc/nova.conf" <<EOF
[DEFAULT]
my_ip = 127.0.0.1
host = loopback
state_path = $STATE/nova
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = $NOVA_PORT
osapi_compute_workers = 1
# fake.FakeDriver and a little more: openstack-plugins/loopback_nova.py
compute_driver = loopback.LoopbackDriver
# There is one host only.
allow_resize_to_same_host = true
# No agent will ever say that an interface is plugged.
vif_plugging_timeout = 0
vif_plugging_is_fatal = false
# Report for duty at once, not after a random wait.
periodic_fuzzy_delay = 0
$(common nova)
$(database api_database nova_api)
[wsgi]
api_paste_config = $COMMON/nova-common/api-paste.ini
[glance]
endpoint_override = http://127.0.0.1:$GLANCE_PORT
[cinder]
os_region_name = RegionOne
$(auth_section placement nova)
$(auth_section neutron nova)
$(auth_section service_user nova)
# Cinder lets nobody but nova, so identified, touch an attachment in use.
send_service_user_token = true
EOF

    cat >"$STATE/clouds.yaml" <<EOF
clouds:
  admin:
    auth:
      auth_url: http://127.0.0.1:$KEYSTONE_PORT/v3
      username: admin
      password: $OS_TEST_PASSWORD
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: public
    identity_api_version: 3
  demo:
    auth:
      auth_url: http://127.0.0.1:$KEYSTONE_PORT/v3
      username: demo
      password: $OS_TEST_PASSWORD
      project_name: demo
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: public
    identity_api_version: 3
EOF
    chmod 600 "$STATE/clouds.yaml"

    # Fernet keys, as 'keystone-manage fernet_setup' would make them.
    local d
    for d in fernet/0 fernet/1 credential/0 credential/1; do
        head -c 32 /dev/urandom | base64 | tr '+/' '-_' >"$STATE/keystone/$d"
    done
    chmod -R go= "$STATE/keystone"
}
