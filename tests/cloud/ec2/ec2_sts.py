"""STS: who one is, and roles."""

import re

from ec2_actions import action
from ec2_model import Refused


# ---- STS ----

@action('GetCallerIdentity')
def caller_identity(lab, p):
    return {'UserId': 'AIDA' + lab.account, 'Account': lab.account, 'Arn': lab.caller}


@action('AssumeRole')
def assume_role(lab, p):
    found = re.match(r'arn:aws:iam::(\d{12}):role/([\w+=,.@/-]+)$', p['RoleArn'])
    if not found:
        raise Refused('ValidationError', '%s is invalid' % p['RoleArn'])
    seconds = p.get('DurationSeconds', 3600)
    if found[1] != lab.account or found[2] == 'forbidden':
        raise Refused('AccessDenied', 'User: %s is not authorized to perform: sts:AssumeRole on '
                      'resource: %s' % (lab.caller, p['RoleArn']), 403)
    arn = 'arn:aws:sts::%s:assumed-role/%s/%s' % (lab.account, found[2], p['RoleSessionName'])
    session = lab.new_session(arn, seconds)
    return {'AssumedRoleUser': {'AssumedRoleId': 'AROA%s:%s' % (lab.account, p['RoleSessionName']),
                                'Arn': arn},
            'Credentials': {'AccessKeyId': session.key_id, 'SecretAccessKey': session.secret,
                            'SessionToken': session.token, 'Expiration': float(session.expires)}}
