"""Configurations of the AWS CLI, good and wrong: name -> (files, environment, settings).

Files are below the home; `c` and `s` are .aws/config and .aws/credentials. '@' at the beginning of a
path is the home.
"""

KEYS = 'aws_access_key_id = AKID%s\naws_secret_access_key = secret/%s+x\n'
BASE = '[default]\nregion = eu-west-1\n'


def keys(n):
    return KEYS % (n, n)


def env_keys(n='E', **more):
    return dict(AWS_ACCESS_KEY_ID='AKID' + n, AWS_SECRET_ACCESS_KEY='s' + n, **more)


ROLE = 'role_arn = arn:aws:iam::123456789012:role/r\n'
DEV = '[profile dev]\nregion = eu-west-2\n'
PROCESS = 'credential_process = %s\n'
WRITES = ('''sh -c 'echo "{\\"Version\\":1,\\"AccessKeyId\\":\\"PID\\",'''
          '''\\"SecretAccessKey\\":\\"ps\\"%s}"' ''')
PIECE = ',\\"SessionToken\\":\\"pt\\"'

CASES = {
    # ---- Files and profiles ----
    'config alone': ({'c': BASE + keys(1)}, {}, {}),
    'credentials alone': ({'s': '[default]\nregion = eu-west-1\n' + keys(1)}, {}, {}),
    'both, credentials win': ({'c': BASE + keys(1), 's': '[default]\n' + keys(2)}, {}, {}),
    'region of both, credentials win': (
        {'c': BASE, 's': '[default]\nregion = eu-west-3\n' + keys(2)}, {}, {}),
    'profile of the setting': ({'c': BASE + keys(1) + DEV + keys(2)}, {}, {'profile': 'dev'}),
    'AWS_PROFILE': ({'c': BASE + keys(1) + DEV + keys(2)}, {'AWS_PROFILE': 'dev'}, {}),
    'AWS_DEFAULT_PROFILE': ({'c': BASE + keys(1) + DEV + keys(2)},
                            {'AWS_DEFAULT_PROFILE': 'dev'}, {}),
    'AWS_PROFILE before AWS_DEFAULT_PROFILE': (
        {'c': BASE + keys(1) + DEV + keys(2)},
        {'AWS_DEFAULT_PROFILE': 'default', 'AWS_PROFILE': 'dev'}, {}),
    'setting before AWS_PROFILE': ({'c': BASE + keys(1) + DEV + keys(2)},
                                   {'AWS_PROFILE': 'default'}, {'profile': 'dev'}),
    'profile with blanks in its name': ({'c': '[profile "my dev"]\nregion = eu-west-1\n' + keys(1)},
                                        {}, {'profile': 'my dev'}),
    'profile with single quotes': ({'c': "[profile 'dev']\nregion = eu-west-1\n" + keys(1)},
                                   {}, {'profile': 'dev'}),
    'section that is no profile': ({'c': '[dev]\nregion = eu-west-1\n' + keys(1)},
                                   {}, {'profile': 'dev'}),
    'profile of the credentials file': ({'c': BASE, 's': '[dev]\n' + keys(3)},
                                        {'AWS_REGION': 'us-west-1'}, {'profile': 'dev'}),
    'profile with its prefix in the credentials file': (
        {'c': BASE, 's': '[profile dev]\n' + keys(3)}, {}, {'profile': 'dev'}),
    'profile default': ({'c': '[profile default]\nregion = eu-west-1\n' + keys(1)}, {}, {}),
    'default twice, once with its prefix': (
        {'c': '[profile default]\nregion = eu-west-1\n' + keys(1) +
              '[default]\nregion = eu-west-2\n' + keys(2)}, {}, {}),
    'no such profile': ({'c': BASE + keys(1) + DEV}, {}, {'profile': 'devel'}),
    'no such profile in the environment': ({'c': BASE + keys(1)}, {'AWS_PROFILE': 'dev'}, {}),
    'default by name, and not there': ({'c': DEV}, {'AWS_REGION': 'eu-west-1'},
                                       {'profile': 'default'}),
    'AWS_CONFIG_FILE': ({'c': BASE + keys(1), 'x/y': '[default]\nregion = eu-west-3\n' + keys(4)},
                        {'AWS_CONFIG_FILE': '@/x/y'}, {}),
    'AWS_CONFIG_FILE with ~': ({'x/y': BASE + keys(4)}, {'AWS_CONFIG_FILE': '~/x/y'}, {}),
    'AWS_CONFIG_FILE that is not there': ({'c': BASE + keys(1)},
                                          {'AWS_CONFIG_FILE': '@/none'}, {}),
    'AWS_CONFIG_FILE that is a folder': ({'c': BASE, 's': '[default]\n' + keys(1)},
                                         {'AWS_CONFIG_FILE': '@', 'AWS_REGION': 'eu-west-1'}, {}),
    'AWS_SHARED_CREDENTIALS_FILE': ({'c': BASE, 's': '[default]\n' + keys(1),
                                     'k': '[default]\n' + keys(2)},
                                    {'AWS_SHARED_CREDENTIALS_FILE': '~/k'}, {}),
    'nothing at all': ({}, {}, {}),
    'a region alone': ({}, {'AWS_REGION': 'eu-west-1'}, {}),
    # ---- The format ----
    'CRLF': ({'c': (BASE + keys(1)).replace('\n', '\r\n')}, {}, {}),
    'no line end at the end': ({'c': (BASE + keys(1)).rstrip()}, {}, {}),
    'comments': ({'c': '# x\n; y\n[default] ; z\n  # a\nregion = eu-west-1\n\n; b\n' + keys(1)},
                 {}, {}),
    'colons': ({'c': BASE.replace(' = ', ': ') + keys(1).replace(' = ', ':')}, {}, {}),
    'no blanks': ({'c': (BASE + keys(1)).replace(' = ', '=')}, {}, {}),
    'capitals': ({'c': BASE.replace('region', 'Region') + keys(1).upper().replace('SECRET', 'Secret')},
                 {}, {}),
    'indented keys': ({'c': '[default]\n  region = eu-west-1\n  ' + keys(1).replace('\n', '\n  ')},
                      {}, {}),
    'nested values': ({'c': BASE + 's3 =\n  max_concurrent_requests = 20\n  region = us-east-1\n' +
                       keys(1)}, {}, {}),
    'nested values with empty lines and comments': (
        {'c': BASE + 's3 =\n\n  a = 1\n  # no\n\n  b = 2\n\n' + keys(1)}, {}, {}),
    'nested values that are none': ({'c': BASE + 's3 =\n  a\n' + keys(1)}, {}, {}),
    'sections of other kinds': ({'c': '[preview]\nx = 1\n[services s]\nec2 =\n  a = b\n'
                                 '[sso-session t]\nsso_region = x\n' + BASE + keys(1)}, {}, {}),
    'values for all in DEFAULT': ({'c': '[DEFAULT]\nregion = eu-west-1\n[profile dev]\n' + keys(1)},
                                  {}, {'profile': 'dev'}),
    'value with an equals sign': ({'c': BASE + 'aws_access_key_id = A\n'
                                   'aws_secret_access_key = x=y==\n'}, {}, {}),
    'empty values': ({'c': BASE + 'ca_bundle =\n' + keys(1)}, {}, {}),
    'section twice': ({'c': BASE + keys(1) + '[default]\noutput = json\n'}, {}, {}),
    'key twice': ({'c': BASE + keys(1) + 'region = eu-west-2\n'}, {}, {}),
    'key before a section': ({'c': 'region = eu-west-1\n' + BASE + keys(1)}, {}, {}),
    'line that is nothing': ({'c': BASE + keys(1) + 'what\n'}, {}, {}),
    'not UTF-8': ({'c': b'[default]\nregion = eu-west-1\nx = \xff\n'}, {}, {}),
    'credentials file that is broken': ({'c': BASE, 's': '[default\n' + keys(1)}, {}, {}),
    # ---- Region and URLs ----
    'AWS_REGION': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-west-2'}, {}),
    'AWS_REGION before AWS_DEFAULT_REGION': (
        {'c': BASE + keys(1)}, {'AWS_DEFAULT_REGION': 'us-west-1',
                                           'AWS_REGION': 'us-west-2'}, {}),
    'AWS_DEFAULT_REGION': ({'c': BASE + keys(1)}, {'AWS_DEFAULT_REGION': 'us-west-1'}, {}),
    'region of the setting': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-west-2'},
                              {'region': 'sa-east-1'}),
    'no region': ({'c': '[default]\n' + keys(1)}, {}, {}),
    'region of the other profile': ({'c': BASE + keys(1) + '[profile dev]\n' + keys(2)},
                                    {}, {'profile': 'dev'}),
    'region that is none': ({'c': '[default]\nregion = eu_west_1/x\n' + keys(1)}, {}, {}),
    'China': ({'c': BASE + keys(1)}, {'AWS_REGION': 'cn-north-1'}, {}),
    'China, two stacks': ({'c': BASE + keys(1)}, {
        'AWS_REGION': 'cn-northwest-1', 'AWS_USE_DUALSTACK_ENDPOINT': 'true'}, {}),
    'GovCloud': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-gov-west-1'}, {}),
    'GovCloud, FIPS': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-gov-west-1',
                                               'AWS_USE_FIPS_ENDPOINT': 'true'}, {}),
    'iso': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-iso-east-1'}, {}),
    'isob': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-isob-east-1'}, {}),
    'iso, FIPS': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-iso-east-1',
                                          'AWS_USE_FIPS_ENDPOINT': 'true'}, {}),
    'iso, two stacks': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-iso-east-1',
                                                'AWS_USE_DUALSTACK_ENDPOINT': 'true'}, {}),
    'FIPS': ({'c': BASE + keys(1)}, {'AWS_REGION': 'us-east-1',
                                     'AWS_USE_FIPS_ENDPOINT': 'TRUE'}, {}),
    'FIPS of the profile': ({'c': BASE + 'use_fips_endpoint = true\n' + keys(1)}, {}, {}),
    'FIPS of the profile, not of the environment': (
        {'c': BASE + 'use_fips_endpoint = true\n' + keys(1)}, {'AWS_USE_FIPS_ENDPOINT': 'false'}, {}),
    'two stacks': ({'c': BASE + 'use_dualstack_endpoint = true\n' + keys(1)}, {}, {}),
    'two stacks and FIPS': ({'c': BASE + 'use_dualstack_endpoint = true\n'
                             'use_fips_endpoint = true\n' + keys(1)}, {}, {}),
    'a region of tomorrow': ({'c': BASE + keys(1)}, {'AWS_REGION': 'eu-north-7'}, {}),
    # ---- Keys ----
    'environment': ({}, env_keys(AWS_REGION='eu-west-1'), {}),
    'environment with a session': (
        {}, env_keys(AWS_REGION='eu-west-1', AWS_SESSION_TOKEN='t'), {}),
    'environment with an old session': (
        {}, env_keys(AWS_REGION='eu-west-1', AWS_SECURITY_TOKEN='o', AWS_SESSION_TOKEN='t'), {}),
    'environment before files': ({'c': BASE + keys(1), 's': '[default]\n' + keys(2)},
                                 env_keys(), {}),
    'environment before the profile of AWS_PROFILE': (
        {'c': DEV + keys(1)}, env_keys(AWS_PROFILE='dev'), {}),
    'profile of the setting before the environment': (
        {'c': DEV + keys(1)}, env_keys(), {'profile': 'dev'}),
    'environment by half': ({'c': BASE + keys(1)}, {'AWS_ACCESS_KEY_ID': 'A'}, {}),
    'environment, the other half': ({'c': BASE + keys(1)}, {'AWS_SECRET_ACCESS_KEY': 'A'}, {}),
    'environment, empty': ({'c': BASE + keys(1)}, {'AWS_ACCESS_KEY_ID': '',
                                                   'AWS_SECRET_ACCESS_KEY': ''}, {}),
    'session token': ({'c': BASE, 's': '[default]\naws_session_token = t\n' + keys(1)}, {}, {}),
    'old session token': ({'c': BASE, 's': '[default]\naws_session_token = t\n'
                           'aws_security_token = o\n' + keys(1)}, {}, {}),
    'half of the credentials file': ({'c': BASE, 's': '[default]\naws_access_key_id = A\n'}, {}, {}),
    'half of the config file': ({'c': BASE + 'aws_access_key_id = A\n'}, {}, {}),
    'halves in two files': ({'c': BASE + 'aws_access_key_id = A\n',
                             's': '[default]\naws_secret_access_key = B\n'}, {}, {}),
    'the other half': ({'c': BASE + keys(1), 's': '[default]\naws_secret_access_key = B\n'}, {}, {}),
    # ---- Processes ----
    'process': ({'c': BASE + PROCESS % (WRITES % '')}, {}, {}),
    'process with a session': ({'c': BASE + PROCESS % (WRITES % PIECE)}, {}, {}),
    'process before keys of the config file': (
        {'c': BASE + keys(1) + PROCESS % (WRITES % '')}, {}, {}),
    'keys of the credentials file before the process': (
        {'c': BASE + PROCESS % (WRITES % ''), 's': '[default]\n' + keys(1)}, {}, {}),
    'process of the credentials file': ({'c': BASE, 's': '[default]\n' + PROCESS % (WRITES % '')},
                                        {}, {}),
    'process that fails': ({'c': BASE + PROCESS % "sh -c 'echo no >&2; exit 3'"}, {}, {}),
    'process that is not there': ({'c': BASE + PROCESS % '/nowhere/at-all'}, {}, {}),
    'process with a quote that is open': ({'c': BASE + PROCESS % "sh 'x"}, {}, {}),
    'process of another version': (
        {'c': BASE + PROCESS % (WRITES % '').replace('Version\\":1', 'Version\\":2')}, {}, {}),
    'process that writes rubbish': ({'c': BASE + PROCESS % 'echo hello'}, {}, {}),
    'process that writes half': (
        {'c': BASE + PROCESS % """sh -c 'echo "{\\"Version\\":1,\\"AccessKeyId\\":\\"A\\"}"'"""},
        {}, {}),
    # ---- Roles ----
    'role': ({'c': BASE + ROLE + 'source_profile = dev\n' + DEV + keys(1)}, {}, {}),
    'role with everything': (
        {'c': BASE + ROLE + 'source_profile = dev\nexternal_id = e/1\nrole_session_name = me\n'
         'duration_seconds = 900\n' + DEV, 's': '[dev]\n' + keys(1)}, {}, {}),
    'role whose duration is none': (
        {'c': BASE + ROLE + 'source_profile = dev\nduration_seconds = long\n' + DEV + keys(1)},
        {}, {}),
    'role of the profile itself': ({'c': BASE + ROLE + 'source_profile = default\n' + keys(1)},
                                   {}, {}),
    'role of roles': (
        {'c': BASE + ROLE + 'source_profile = dev\n' + DEV +
         'role_arn = arn:aws:iam::1:role/d\nsource_profile = base\n[profile base]\n' + keys(1)},
        {}, {}),
    'role whose source has keys and a role': (
        {'c': BASE + ROLE + 'source_profile = dev\n' + DEV + keys(1) +
         'role_arn = arn:aws:iam::1:role/d\nsource_profile = base\n'}, {}, {}),
    'role with a process below': (
        {'c': BASE + ROLE + 'source_profile = dev\n' + DEV + PROCESS % (WRITES % '')}, {}, {}),
    'role before keys': ({'c': BASE + ROLE + 'source_profile = dev\n' + keys(2) + DEV + keys(1),
                          's': '[default]\n' + keys(3)}, {}, {}),
    'environment before a role': ({'c': BASE + ROLE + 'source_profile = dev\n' + DEV + keys(1)},
                                  env_keys(), {}),
    'role of the environment': ({'c': BASE + ROLE + 'credential_source = Environment\n'},
                                env_keys('V', AWS_PROFILE='default'), {}),
    'role of the environment, chosen': ({'c': BASE + ROLE + 'credential_source = Environment\n'},
                                        env_keys('V'), {'profile': 'default'}),
    'role of the environment, which is empty': (
        {'c': BASE + ROLE + 'credential_source = Environment\n'}, {}, {}),
    'role of a loop': ({'c': BASE + ROLE + 'source_profile = dev\n' + DEV + ROLE +
                        'source_profile = default\n'}, {}, {}),
    'role of itself without keys': ({'c': BASE + ROLE + 'source_profile = default\n'}, {}, {}),
    'role of nobody': ({'c': BASE + ROLE}, {}, {}),
    'role of both': ({'c': BASE + ROLE + 'source_profile = dev\ncredential_source = Environment\n' +
                      DEV + keys(1)}, {}, {}),
    'role of a profile that is not there': ({'c': BASE + ROLE + 'source_profile = gone\n'}, {}, {}),
    'role of a profile without credentials': ({'c': BASE + ROLE + 'source_profile = dev\n' + DEV},
                                              {}, {}),
    'role of a source that is none': ({'c': BASE + ROLE + 'credential_source = Magic\n'}, {}, {}),
    'web identity': ({'c': BASE + ROLE + 'web_identity_token_file = @/t\n'}, {}, {}),
    'web identity of the environment': (
        {'c': BASE}, {'AWS_ROLE_ARN': 'arn:aws:iam::1:role/w',
                      'AWS_WEB_IDENTITY_TOKEN_FILE': '@/t', 'AWS_ROLE_SESSION_NAME': 'n'}, {}),
    'web identity of the environment, not with a profile': (
        {'c': BASE + keys(1)}, {'AWS_ROLE_ARN': 'arn:aws:iam::1:role/w',
                                'AWS_WEB_IDENTITY_TOKEN_FILE': '@/t'}, {'profile': 'default'}),
    'web identity before keys': ({'c': BASE + ROLE + 'web_identity_token_file = @/t\n' + keys(1),
                                  's': '[default]\n' + keys(2)}, {}, {}),
    'web identity without a role': ({'c': BASE + 'web_identity_token_file = @/t\n'}, {}, {}),
    'role of a web identity': (
        {'c': BASE + ROLE + 'source_profile = dev\n' + DEV +
         'role_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = @/t\n'}, {}, {}),
}
